// Rows to make datasets of, and a way to send them in the body.
import { type Answer, type House, knock } from './knock.ts';

export const rows = (count: number, response = 'Answer') =>
  Array.from({ length: count }, (_, i) => ({ prompt: `Question ${i}`, response: `${response} ${i}`, helpfulness: i % 5 }));

export const lines = (records: unknown[]) => records.map((record) => JSON.stringify(record)).join('\n');

export function send(house: House, query: string, body: string | Uint8Array, type = 'application/x-ndjson'): Promise<Answer> {
  return knock(house, `/v1/datasets?${query}`, { method: 'POST', headers: { 'content-type': type }, body });
}
