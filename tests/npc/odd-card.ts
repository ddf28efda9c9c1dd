// A character card that is hard to keep as it is, and pictures to carry it.
import { crc32, deflateSync } from 'node:zlib';

/** Spellings that JSON.parse forgets: 1.0, 1e2, a number too large for a double, escapes, an unusual order, a name given twice, odd spaces. */
export const oddCard = `{
  "spec_version" : "2.0", "zeta": 1.0,
  "spec": "chara_card_v2",
  "data": {
    "name": "Sera\\u0066in",
    "description": "{{char}} guards the gate of Thornwall.", "personality": "stern, fair",
    "scenario": "", "first_mes": "Halt, {{user}}!",
    "mes_example": "<START>\\n{{user}}: May I pass?\\n{{char}}: State your business.\\nQuickly.\\n<START>\\n{{char}}: Move along.",
    "creator_notes": "SECRET: use temperature 0.9", "tags": ["secret-tag"],
    "unknown": {"2": 12345678901234567890, "1": 1e2, "x": 0.10},
    "twice": 1, "twice": 2,
    "extensions": { "depth_prompt": {"depth": 4.0}, "other/tool": [1.50, null] },
    "character_book": {"scan_depth": 2.0, "extensions": {}, "entries": [
      {"keys": ["dragon"], "content": "The dragon sleeps.", "enabled": true, "insertion_order": 2.0, "extensions": {"a": 1.0}},
      {"keys": [], "constant": true, "content": "The gate closes at dusk.", "enabled": true, "insertion_order": 1, "extensions": {}},
      {"keys": ["x"], "content": "Never told.", "enabled": false, "insertion_order": 0.5, "extensions": {}} ] }
  }
}
`;

export const chunk = (type: string, data: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
};
export const text = (keyword: string, value: string) => chunk('tEXt', Buffer.from(`${keyword}\0${value}`, 'latin1'));
export const packedText = (keyword: string, value: string) =>
  chunk('zTXt', Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), deflateSync(value)]));
/** iTXt, with a language and a translated keyword, packed or not. */
export const languageText = (keyword: string, value: string, packed: boolean) => {
  const head = Buffer.from(`${keyword}\0${packed ? '\x01' : '\0'}\0de\0Figur\0`, 'latin1');
  return chunk('iTXt', Buffer.concat([head, packed ? deflateSync(value) : Buffer.from(value)]));
};
export const base64 = (value: string) => Buffer.from(value, 'utf8').toString('base64');
export const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
export const header = chunk('IHDR', Buffer.from('00000001000000010800000000', 'hex'));
export const pixels = chunk('IDAT', deflateSync(Buffer.from([0, 0])));
export const end = chunk('IEND', Buffer.alloc(0));
export const png = (...chunks: Buffer[]) => Buffer.concat([signature, header, pixels, ...chunks, end]);
