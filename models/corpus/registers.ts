// Turns neutral English into one of five registers: slang, casual, neutral, polite, ceremonious.
// Fragments are written neutral, with contractions; every register but neutral also leaves a marker formalityOf can find.
import type { Random } from './random.ts';

type Rule = readonly [RegExp, string];

const notGerunds =
  'thing|king|ring|sing|spring|string|bring|wing|swing|sting|cling|fling|sling|during|ceiling|pudding|wedding|building|ling|ping|duckling|seedling|gosling|sibling|sterling|inkling|darling';
const slangRules: Rule[] = [
  [/\bI don't know\b/g, 'I dunno'],
  [/\b(I'm|I am) not\b/g, "I ain't"],
  [/\b(it's|that's|there's|he's|she's) (not|no)\b/gi, '$1 $2'],
  [/\b(isn't|aren't)\b/g, "ain't"],
  [/\bgoing to (?!the|a|my|your|bed|town|sleep\b)(?=[a-z])/g, 'gonna '],
  [/\bwant to\b/g, 'wanna'],
  [/\b(?:have|got) to\b/g, 'gotta'],
  [/\blet me\b/g, 'lemme'],
  [/\bgive me\b/g, 'gimme'],
  [/\bout of\b/g, 'outta'],
  [/\bbecause\b/g, "'cos"],
  [/\b(\w) them\b/g, "$1 'em"],
  [/\bYes\b/g, 'Yep'],
  [/^No([,.])/g, 'Nah$1'],
  [/\bI think\b/g, 'I reckon'],
  [/\bvery\b/g, 'proper'],
  [/(?<=\w )you\b(?!')/g, 'ya'],
  [/(?<=\w )your\b/g, 'yer'],
  [new RegExp(`\\b(?!(?:${notGerunds})\\b)([a-z]{2,})ing\\b`, 'g'), "$1in'"],
];
const casualRules: Rule[] = [
  [/\bHello\b/g, 'Hi'],
  [/\bYes\b/g, 'Yeah'],
  [/\bpeople\b/g, 'folks'],
  [/\bchildren\b/g, 'kids'],
  [/\bvery\b/g, 'really'],
  [/\ba little\b/g, 'a bit'],
];
const fullForms: Rule[] = [
  [
    /\b(It|it|That|that|There|there|He|he|She|she|Who|who|What|what)'s (been|got|gone|had|seen|taken|come|grown|lost|turned)\b/g,
    '$1 has $2',
  ],
  [/\b(Do|Does|Did|Is|Are|Was|Were|Have|Has|Would|Could|Should)n't (you|it|he|she|they|we|that|I)\b/g, '$1 $2 not'],
  [/\b(C|c)an't\b/g, '$1annot'],
  [/\b(W|w)on't\b/g, '$1ill not'],
  [/\b(S|s)han't\b/g, '$1hall not'],
  [/\b(L|l)et's\b/g, '$1et us'],
  [/n't\b/g, ' not'],
  [/\b(I|you|he|she|it|we|they|You|He|She|It|We|They|That|that|There|there|Who|who)'d\b/g, '$1 would'],
  [/'re\b/g, ' are'],
  [/'ve\b/g, ' have'],
  [/'ll\b/g, ' will'],
  [/\bI'm\b/g, 'I am'],
  [
    /\b(It|it|That|that|There|there|Here|here|What|what|Who|who|Where|where|How|how|He|he|She|she|Everyone|everyone|Nobody|nobody|Nothing|nothing|Something|something|Everything|everything)'s\b/g,
    '$1 is',
  ],
];
const politeRules: Rule[] = [
  ...fullForms,
  [/\bMaybe\b/g, 'Perhaps'],
  [/\bmaybe\b/g, 'perhaps'],
  [/\ba lot of\b/g, 'a great deal of'],
];
const ceremoniousRules: Rule[] = [
  ...politeRules,
  [/\bHello\b/g, 'I bid you welcome'],
  [/\bThanks\b/g, 'You have my gratitude'],
  [/\bbuy\b/g, 'purchase'],
  [/\bright now\b/g, 'at present'],
  [/\blots of\b/g, 'a great many'],
];
const rules: readonly Rule[][] = [slangRules, casualRules, [], politeRules, ceremoniousRules];

/** Words of address and openers that mark a register; neutral has none. */
const registerMarkers: readonly { address: readonly string[]; opener: readonly string[] }[] = [
  { address: ['mate', 'chum', 'matey'], opener: ['Oi, ', 'Oi, listen, ', 'Mate, ', 'I reckon '] },
  { address: ['pal', 'buddy', 'you know'], opener: ['Hey, ', 'I mean, ', 'Okay, ', 'You know, ', 'I guess '] },
  { address: [], opener: [] },
  {
    address: ['good friend', 'my dear friend', 'dear friend', 'if I may say so'],
    opener: ['I must say, ', 'I dare say ', 'If I may, ', 'With respect, ', 'Allow me: ', 'I should say '],
  },
  {
    address: ['honoured guest', 'noble friend', 'esteemed visitor', 'most gracious one', 'worthy one'],
    opener: [
      'Permit me: ',
      'By your leave, ',
      'Honoured guest, ',
      'In all solemnity, ',
      'I do declare, ',
      'Hear me, noble friend: ',
    ],
  },
];

/** The text in the words of a register, level 0–4; markers are the composer's business. */
export function rewriteRegister(text: string, level: number): string {
  let rewritten = text;
  for (const [pattern, replacement] of rules[level] ?? []) rewritten = rewritten.replace(pattern, replacement);
  return rewritten;
}

/** The sentence with an address before its closing mark: "Three silver." becomes "Three silver, mate." */
export function addAddress(sentence: string, address: string): string {
  const first = /^(.*?)([.!?]+)(\s.*)?$/s.exec(sentence);
  if (!first) return `${sentence}, ${address}`;
  return `${first[1]}, ${address}${first[2]}${first[3] ?? ''}`;
}

/** The sentence after an opener, its capital lowered unless it must stay. */
export function addOpener(sentence: string, opener: string): string {
  const keep = /^(?:I\b|I'|\{(?:name|town|person|player|ruler)\})/.test(sentence);
  return opener + (keep ? sentence : sentence.charAt(0).toLowerCase() + sentence.slice(1));
}

/** An address or opener of a register other than the neutral one, not among `said`, to which it is added. */
export function pickMarker(
  random: Random,
  level: number,
  kind: 'address' | 'opener',
  said: Set<string>,
): { kind: 'address' | 'opener'; text: string } {
  const entries = registerMarkers[level]?.[kind] ?? [];
  const text = random.pick(entries.filter((entry) => !said.has(entry)));
  said.add(text);
  return { kind, text };
}
