// How a matrix of weights lies in memory: channels (its rows) in groups of four, a group block by block along its columns, and behind the codes of a
// block the scales of its channels, so that a product reads one stream. 8 bits: scale · code. 4 bits: scale · code + base, the codes 0 to 15.

/** Channels that lie together. */
export const groupChannels = 4;
/** Columns that share a scale where a row has several. */
export const blockColumns = 32;

export interface Packing {
  bits: 8 | 4;
  columns: number;
  /** Columns that share a scale: 32, or with 8 bits all of them. */
  block: number;
}

/** Bytes of a block of a group: codes, four scales, and with 4 bits four bases. */
export function groupBlockBytes({ bits, block }: Packing): number {
  return (groupChannels * block * bits) / 8 + (bits === 4 ? 32 : 16);
}

export function groupBytes(packing: Packing): number {
  return (packing.columns / packing.block) * groupBlockBytes(packing);
}

/** Numbers of a model above which its 8-bit weights have a scale for each block: below, they stay in the cache, where a scale for each channel is faster. */
const wholeRowsBelow = 2 ** 24;

/** Of a matrix of so many columns in a model of so many numbers. What does not divide into blocks keeps 8 bits with a scale for each channel. */
export function packingOf(bits: 8 | 4, columns: number, modelNumbers: number): Packing {
  if (columns % blockColumns !== 0 || (bits === 8 && modelNumbers < wholeRowsBelow)) return { bits: 8, columns, block: columns };
  return { bits, columns, block: blockColumns };
}

export type ProductName = `product${4 | 8}x${number}x${number}`;

export function productName({ bits, columns, block }: Packing): ProductName {
  return `product${bits}x${block}x${columns}`;
}
