// The bytes that tokens stand for, by the decoder of a tokenizer.json.

/** The letter GPT-2 writes each byte with: itself where it prints, else the next from U+0100. */
export function byteLetters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(prints ? byte : next++);
  });
}

type Decoder = Record<string, unknown> & { type: string };

/** The bytes a spelling of the vocabulary stands for; undefined when the decoder is of a kind that does not work token by token. */
export function bytesBySpelling(decoder: Decoder | null): ((spelling: string) => Uint8Array) | undefined {
  const steps = decoder?.type === 'Sequence' ? (decoder.decoders as Decoder[]) : [decoder].filter((step) => step !== null);
  const rewrites = steps.map(rewriteOf);
  if (!rewrites.every((rewrite) => rewrite !== undefined)) return;
  return (spelling) => {
    let part: string | Uint8Array = spelling;
    for (const rewrite of rewrites) if (typeof part === 'string') part = rewrite(part);
    return typeof part === 'string' ? new TextEncoder().encode(part) : part;
  };
}

/** Bytes by the code of their letter; of all others 0. */
const bytesOfLetters = new Uint8Array(2 ** 16);
for (const [byte, letter] of byteLetters().entries()) bytesOfLetters[letter.charCodeAt(0)] = byte;

/** By its letters' codes: a vocabulary has hundreds of thousands of letters. */
function byteLevel(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let count = 0;
  for (let i = 0, code = 0; i < text.length; i += code > 0xffff ? 2 : 1) {
    code = text.codePointAt(i)!;
    bytes[count++] = code > 0xffff ? 0 : bytesOfLetters[code]!;
  }
  return count === bytes.length ? bytes : bytes.slice(0, count);
}

function rewriteOf(step: Decoder): ((text: string) => string | Uint8Array) | undefined {
  switch (step.type) {
    case 'ByteLevel':
      return byteLevel;
    case 'ByteFallback':
      return (text) => {
        const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1];
        return byte === undefined ? text : Uint8Array.of(Number.parseInt(byte, 16));
      };
    case 'Replace': {
      const { String: from } = (step.pattern ?? {}) as { String?: string };
      return from === undefined ? undefined : (text) => text.replaceAll(from, () => String(step.content));
    }
    case 'Metaspace':
      return (text) => text.replaceAll(String(step.replacement ?? '▁'), ' ');
    // These only join tokens, or cut off what begins the whole text.
    case 'Fuse':
    case 'Strip':
      return (text) => text;
    default:
      return;
  }
}
