// Names nobody has: there are so many that a model cannot learn them by heart and has to read the one it was given. Data and their joining.
import { split } from './fragment.ts';
import { hashText } from './random.ts';
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
