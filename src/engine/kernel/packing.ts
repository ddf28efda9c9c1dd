// How a matrix of weights lies in memory: channels (its rows) in groups of four, a group block by block along its columns, and behind the codes of a
// block the scales of its channels, so that a product reads one stream. 8 bits: scale · code. 4 bits: scale · code + base, the codes 0 to 15.
// Codes of 8 bits lie in pairs (c0k0 c0k1 c1k0 c1k1 …) or in fours (c0k0 c0k1 c0k2 c0k3 c1k0 …), as the product adds them up; in fours the sums of a block's
// codes, negative, lie behind its scales.

/** Channels that lie together. */
export const groupChannels = 4;
/** Columns that share a scale where a row has several. */
export const blockColumns = 32;

export interface Packing {
  bits: 8 | 4;
  columns: number;
  /** Columns that share a scale: 32, or with 8 bits all of them. */
  block: number;
  /** Whether products are added up in fours rather than in pairs. */
  inFours: boolean;
}

/** Of 8 bits: columns of a channel that lie together. */
export function columnsTogether({ inFours }: Packing): 4 | 2 {
  return inFours ? 4 : 2;
}

/** Bytes of a block of a group: codes, four scales, then with 4 bits four bases, with 8 bits in fours four sums. */
export function groupBlockBytes(packing: Packing): number {
  const { bits, block, inFours } = packing;
  const more = bits === 4 ? 16 : inFours ? groupChannels * sumBytes(packing) : 0;
  return (groupChannels * block * bits) / 8 + 16 + more;
}

/** The sum of a block's codes fits 16 bits, that of a whole row may not. */
export function sumBytes({ block }: Packing): 2 | 4 {
  return block === blockColumns ? 2 : 4;
}

export function groupBytes(packing: Packing): number {
  return (packing.columns / packing.block) * groupBlockBytes(packing);
}

/** Numbers of a model above which its 8-bit weights have a scale for each block: below, they stay in the cache, where a scale for each channel is faster. */
const wholeRowsBelow = 2 ** 24;

/** Of a matrix of so many columns in a model of so many numbers. What does not divide into blocks keeps 8 bits with a scale for each channel. */
export function packingOf(bits: 8 | 4, columns: number, modelNumbers: number, inFours: boolean): Packing {
  const whole = columns % blockColumns !== 0 || (bits === 8 && modelNumbers < wholeRowsBelow);
  return whole ? { bits: 8, columns, block: columns, inFours } : { bits, columns, block: blockColumns, inFours };
}

export type ProductName = `product${4 | 8}x${number}x${number}`;

export function productName({ bits, columns, block }: Packing): ProductName {
  return `product${bits}x${block}x${columns}`;
}
