// Rules that read a level off the finished text: word counts, registers, rudeness, cues of jokes and of imagery.
// They check the labels the composer gives from its parts; they know nothing of how a reply was made.

/** Fewest words of each verbosity level: 1–5, 6–14, 15–28, 29–48, 49 and more. */
const verbosityFloors = [1, 6, 15, 29, 49] as const;

/** Words of a text, parted by white space. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** Verbosity level 0–4 of so many words. */
export function verbosityOf(words: number): number {
  let level = 0;
  while (level < 4 && words >= (verbosityFloors[level + 1] as number)) level++;
  return level;
}

const contraction = /\b\w+(?:n['’]t|['’](?:re|ve|ll|d|m))\b|\b(?:it|that|there|here|what|who|where|how|he|she|let)['’]s\b/i;
const slang =
  /\b(?:ain't|gonna|wanna|gotta|dunno|ya|yer|nah|mate|oi|lemme|gimme|outta|yep|reckon|chum|matey|proper)\b|(?<![a-z])'(?:em|cos)\b|\b[a-z]{2,}in'(?![a-z])/i;
const casual = /\b(?:hey|yeah|hi|pal|buddy|okay|kinda|folks|kids|i guess)\b|, you know[,.!?]|(?:^|[.!?] )you know, |\bi mean, /i;
const polite =
  /, (?:my )?(?:good|dear) friend\b|\b(?:if i may|if you please|with respect|i must say|i dare say|allow me|i should say)\b/i;
const ceremonious =
  /\b(?:honoured guest|noble friend|esteemed visitor|most gracious one|worthy one|permit me|by your leave|in all solemnity|i do declare)\b/i;

const markers: readonly (readonly [level: number, pattern: RegExp])[] = [
  [0, slang],
  [1, casual],
  [3, polite],
  [4, ceremonious],
];

/** Whether the text holds a contraction such as don't or it's. */
export function hasContraction(text: string): boolean {
  return contraction.test(text);
}

/** Formality level 0–4 by the markers found: slang, casual, none, polite, ceremonious; null where they contradict. */
export function formalityOf(text: string): number | null {
  const found = markers.flatMap(([level, pattern]) => (pattern.test(text) ? [level] : []));
  if (found.length === 0) return 2;
  const lowest = found[0] as number;
  const highest = found.at(-1) as number;
  if (highest <= 1) return lowest;
  return lowest >= 3 ? highest : null;
}

const rudeWords =
  /\b(?:fools?|idiot|stupid|lump|numbskull|dolt|nuisance|pest|oaf|clod|wretch|blockhead|dimwit|bore|tiresome|daft|shut|useless|worthless|witless|toad|get out|get lost|clear off|out of my|hurry|quick|quickly|busy|waste|waste of|throw you|dogs?|nobody asked|enough|annoying|bother|pathetic|silly|rude|ugly|smell|stink|hopeless|go away|last warning|kick|wasting|sick of|tired of|move|or else|sense|boots|all day|bothered|bothering|mouth|bucket|trouble me|no time|lazy|coward|thick|rubbish|awful|dull|irritating)\b/i;
const jokeCues =
  /\b(?:ha|heh|goats?|goose|geese|chickens?|cat|socks?|soup|knees?|trousers|hat|cheese|turnips?|joke|joking|laugh|bald|snor\w+|mother-in-law|refunds?|pickled?|pie|cake|donkey|nap|wig|beard|ducks?|pudding|cabbage|onions?|nose)\b/gi;
const imageCues =
  /\b(?:like|as|moon\w*|stars?|river|rain|wind|stones?|smoke|shadows?|silver|lanterns?|threads?|embers?|frost|tide|bells?|echo\w*|roots?|feathers?|honey|ghosts?|dreams?|whispers?|sky|ash|snow|candles?|dawn|dusk|thunder|ink|clouds?|bones?)\b/gi;

/** Whether the text holds a word of rudeness. */
export function soundsRude(text: string): boolean {
  return rudeWords.test(text);
}

/** Cues of joking found in the text: a rough count, for comparing averages. */
export function countJokeCues(text: string): number {
  return text.match(jokeCues)?.length ?? 0;
}

/** Cues of imagery found in the text: a rough count, for comparing averages. */
export function countImageCues(text: string): number {
  return text.match(imageCues)?.length ?? 0;
}
