// Whether a line insults somebody, by its words: those of the shipped model's corpus and a plain list of common ones. Where a word has another use
// too, its place decides: an old fool in a song, a pig farmer or a useless key is no insult.

const anyOf = (words: string) => `(?:${words.trim().split(/\s+/).join('|')})`;

/** These mean nothing else, whoever they are said of. */
const always = anyOf(`
  idiots? idiotic morons? moronic imbeciles? dimwits? dimwitted numbskulls? blockheads? half-?wits? nitwits? dolts? oafs? clods? dullards? simpletons?
  dunces? dunderheads? knuckleheads? airheads? nincompoops? cretins? ignoramus witless brainless dumb-?ass jackass ass-?holes? arse-?holes? bastards?
  bitch bitches dickheads? shitheads? scumbags? dirtbags? douchebags? wankers? tossers? twats? cunts? pillocks? fuckers? motherfuckers? whores? sluts?
  retards? retarded weirdos?`);
/** Insults where somebody is called so, or where they are thrown at him: "Out, fool!" */
const people = anyOf(`
  fool wretch coward scum brute clown liar cheat bore pest nuisance weakling failure disgrace hag lout scoundrel loser jerk prick good-for-nothing`);
/** Insults where somebody is called so. */
const lowThings = anyOf(
  'lump toad pig swine dog cur mutt rat worm snake cow goat ass donkey mule sheep cockroach leech maggot vermin rubbish trash garbage filth dirt',
);
/** Insults where they are said of somebody, or of what he says and looks like. */
const qualities = anyOf(`
  stupid dumb silly daft dense foolish ignorant useless worthless hopeless pathetic ugly hideous repulsive disgusting tiresome boring dull incompetent
  spineless miserable filthy lazy contemptible despicable`);
const belongings = anyOf(
  'questions? answers? ideas? things? words? talk face head mouth nose hat brain mother jokes? chatter request suggestion plan',
);
const phrases = [
  ...[
    'shut (?:up|it|your)',
    '(?<=^|[.!?,] )get lost',
    'clear off',
    'drop dead',
    'go to hell',
    'piss off',
    '(?:fuck|screw) (?:you|off|yourself)',
  ],
  ...['out of my (?:sight|face)', 'brains? of a bucket', 'thick as (?:a plank|two|bricks)', 'than you off my boots'],
  ...[
    '(?:more sense|smarter \\w+) than you',
    'find your own nose',
    'sick of people like you',
    'nobody asked you',
    'nobody likes you',
  ],
  ...[
    'you (?:bore|disgust) me',
    'you stink',
    'you smell (?:bad|of wet dog)',
    'waste of (?:breath|air|space)',
    'you make me sick',
  ],
  ...['such rubbish', 'rubbish you are'],
];

const bad = `(?:,? (?:${qualities}|${anyOf('old little poor dirty fat big great bloody damned? complete total utter absolute')}))`;
const degree = ` ${anyOf('so very really too just all quite simply awfully rather as still only always')}`;
const areYou = "you(?:'re| are| were)";
/** The noun is not what another one is described by: "you pig farmer". */
const ends = "(?![-'\\w])(?! (?!(?:and|or|but|who|that|if|so|like|with|to|in|of|for|as|would|before)\\b)\\w)";
const thrown = '(?:^|[,.;:!?] *|["\'] ?)(?:you |such an? |what an? )?';
const over = '(?= *(?:[.,;:!?"]|$))';
const denied = "(?<!\\b(?:not|no|never|hardly)(?: an?| the| all| so| such an?| really)? |n't (?:an? |so |really )?)";

const insults = [
  `${denied}\\b${always}\\b`,
  `\\b(?:${phrases.join('|')})\\b`,
  // You fool. You miserable old pest. You're a useless lump, …
  `\\byou${bad}* (?:${people}|${lowThings})${ends}`,
  `\\b${areYou}(?:${degree})* (?:nothing but )?an?${bad}* (?:${people}|${lowThings})${ends}`,
  // Fool. Out, you wretch! Useless lump.
  `${thrown}(?:${qualities} )*${people}${over}`,
  `${thrown}${qualities}${bad}* ${lowThings}${over}`,
  // You're so stupid. What a stupid question. Pathetic.
  `\\b${areYou}(?:${degree})*(?: an?)?${bad}* ${qualities}\\b`,
  `${denied}\\b${qualities}${bad}* ${belongings}\\b`,
  `(?:^|[.!?] *)${qualities}(?= *[.!?]|$)`,
].map((source) => new RegExp(source, 'gi'));

/** The insults of a line, as they stand there. */
export function insultsIn(line: string): string[] {
  const plain = line.replaceAll(/[’‘]/g, "'").replaceAll(/[“”]/g, '"').replaceAll(/\s+/g, ' ');
  return insults.flatMap((pattern) => [...plain.matchAll(pattern)].map(([found]) => found.trim()));
}
