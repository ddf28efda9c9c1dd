// Names nobody has: there are so many that a model cannot learn them by heart and has to read the one it was given. Data and their joining.
import { split } from './fragment.ts';
import { valuesOf } from './heldout.ts';
import { hashText, type Random } from './random.ts';
import { names, towns } from './world.ts';

const nameBeginnings = split(
  'Al|Bel|Cor|Dar|El|Fen|Gar|Hal|Is|Jor|Kel|Lor|Mar|Nor|Or|Pel|Quin|Ros|Sel|Tam|Ul|Val|Wil|Yor|Zan|Bran|Cal|Dra|Eri|Fal|Gwen|Har|Ing|Kat|Lin|Mor|Nim|Os|Per|Rhi|Sor|Thal|Ves|Wyn',
);
const nameEndings = split(
  'a|an|ard|as|beth|bert|da|dan|den|dric|eth|en|fried|ga|gar|helm|ia|ic|in|is|la|lan|lin|lo|mar|mir|na|nor|o|ra|ric|rin|ron|sa|sha|tha|ton|us|va|ven|wen|win',
);
const townBeginnings = split(
  'Ash|Oak|Grey|Thorn|Mill|Raven|Stone|Lark|Winter|Elm|Salt|High|Willow|East|North|Amber|Fox|Red|Silver|Swan|Pine|Dusk|Black|White|Green|Long|Clear|Bright|Deep|Cold|Wolf|Bear|Hare|Heron|Crow|Moss|Fern|Hazel|Birch|Rose|Iron|Copper|Gold|Frost|Storm|Summer',
);
const townEndings = split(
  'ford|bridge|mere|wick|ton|ham|haven|field|water|dale|hill|moor|hollow|gate|well|brook|crest|den|fall|stead|combe|marsh|croft|holt|port',
);

/** Each beginning with each ending, but for those that are known, in an order that says nothing. */
function joined(beginnings: readonly string[], endings: readonly string[], known: readonly string[]): string[] {
  const all = beginnings.flatMap((beginning) => endings.map((ending) => beginning + ending));
  return all.filter((name) => !known.includes(name)).toSorted((a, b) => hashText(a) - hashText(b));
}

export const inventedNames = joined(nameBeginnings, nameEndings, names);
export const inventedTowns = joined(townBeginnings, townEndings, towns);

/** Plain ones are drawn oftener. */
const onsets = [
  ...split('b|c|d|f|g|h|j|k|l|m|n|p|r|s|t|v|w|x|y|z'),
  ...split('b|d|f|g|h|k|l|m|n|p|r|s|t|v|z'),
  ...split('bl|br|ch|cl|cr|dr|fl|fr|gl|gr|gw|kh|kl|kr|pl|pr|qu|sh|sk|st|sv|th|tr|zh'),
];
const nuclei = [...split('a|e|i|o|u|a|e|i|o|u|a|e|i|o|u'), ...split('y|aa|ae|ai|au|ea|ei|ia|ie|io|ou')];
const codas = split('l|m|n|r|s|t|n|r|b|ck|d|g|k|lt|mp|nd|ng|nk|p|rk|rn|ss|st|th|tz|v|x|z');
/** No name ought to hold one of these. */
const foul =
  /fuc|fuk|cunt|nig|nyg|kik|kyk|fag|shit|shyt|cock|dick|dyk|tit|slut|sluk|whor|spic|spik|tran|paki|kun|cum|gook|chin[kc]|rap|nazi|homo|puss|twat|wank|tard/i;

/** A name of two or three syllables out of any letters: whoever says it has read it piece by piece. None that the corpus knows. */
export function spellName(random: Random): string {
  for (;;) {
    const syllables = Array.from({ length: random.weighted([2, 1]) + 2 }, (_, i) => {
      const onset = i === 0 && random.chance(0.2) ? '' : random.pick(onsets);
      return onset + random.pick(nuclei) + (random.chance(0.45) ? random.pick(codas) : '');
    });
    const name = syllables.join('');
    const capital = name.charAt(0).toUpperCase() + name.slice(1);
    if (!foul.test(name) && !known.has(capital)) return capital;
  }
}

const known = new Set([...names, ...towns, ...inventedNames, ...inventedTowns]);

/** One of the joined names that training may hold; with a chance of `spelled` one out of any letters. */
export function drawInvented(random: Random, joinedNames: readonly string[], spelled: number): string {
  return spelled > 0 && random.chance(spelled) ? spellName(random) : random.pick(valuesOf(joinedNames, false));
}
