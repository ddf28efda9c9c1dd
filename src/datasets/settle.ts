// Makes what a format read fit to keep: labels checked against the attribute schema, ids and split filled in, text storable.
import { type AttributeSchema, findAttribute, type Label, maxLevel } from '../steerlm/attributes.ts';
import { unfit } from './formats/format.ts';
import { type ParsedSample, promptKey, type Sample, type SampleContent } from './sample.ts';
import { splitOf } from './split.ts';

/** How NeMo-Aligner writes an attribute nobody rated. */
const missing = -100;

/** The sample with canonical labels, conversation id and split. Throws `invalid_dataset` with the reason. */
export function settle(parsed: ParsedSample, schema: AttributeSchema | null, validationShare?: number): Sample {
  const content = settleContent(parsed.content, schema);
  const conversationId = parsed.conversationId ?? promptKey(content);
  checkText(conversationId);
  return { content, source: parsed.source, conversationId, split: splitOf(conversationId, validationShare) };
}

function settleContent(content: SampleContent, schema: AttributeSchema | null): SampleContent {
  if (content.kind === 'text') {
    checkText(content.text);
    return content;
  }
  const { system, turns } = content.conversation;
  if (turns.length === 0) throw unfit('expected at least one turn, found none');
  checkText(system);
  const settled = turns.map(({ role, content, label }) => {
    checkText(content);
    const kept = settleLabel(label ?? {}, schema);
    return Object.keys(kept).length > 0 ? { role, content, label: kept } : { role, content };
  });
  return { kind: 'conversation', conversation: { system, turns: settled } };
}

/** Without a schema a label may name any attribute, on any scale that starts at 0. */
function settleLabel(label: Label, schema: AttributeSchema | null): Label {
  const settled: Label = {};
  for (const [said, value] of Object.entries(label)) {
    if (value === missing) continue;
    const attribute = schema ? findAttribute(schema, said) : null;
    const name = attribute?.name ?? said.toLowerCase();
    if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name))
      throw unfit(`expected the name of an attribute, got ${JSON.stringify(said.slice(0, 64))}`);
    const highest = attribute ? maxLevel(attribute) : highestLevel;
    if (!(value >= 0 && value <= highest)) throw unfit(`expected ${name} between 0 and ${highest}, got ${value}`);
    settled[name] = value;
  }
  return settled;
}

const highestLevel = 100;

/** Postgres stores neither U+0000 nor half a character, and a tokenizer reads neither. */
function checkText(text: string): void {
  if (/[\0\p{Surrogate}]/u.test(text)) throw unfit('the text holds U+0000 or half a surrogate pair; remove it');
}
