// What tells one version of a dataset from another: its samples in order, each with its side of the split and its labels, and the attributes the
// labels speak of. Where equal data came from says nothing.
import { createHash } from 'node:crypto';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { Sample, SampleContent } from './sample.ts';

/** Takes samples in, then tells the hash. */
export class VersionHash {
  readonly #hash = createHash('sha256');

  /** `contentHash` is the sample's own; `more` are labels that do not stand in its turns. */
  add(sample: Sample, contentHash: string, more: readonly unknown[] = []): void {
    const labels = JSON.stringify([...labelsByTurn(sample.content), ...more]);
    this.#hash.update(`${contentHash} ${sample.split} ${labels}${besideLabels(sample)}\n`);
  }

  /** SHA-256 in hex; `beside` is what else belongs to the version. */
  digest(schema: AttributeSchema | null, beside = ''): string {
    return this.#hash.update(`${JSON.stringify(schema && spelled(schema))} ${beside}`).digest('hex');
  }
}

/** What else is said of the sample; nothing for most, so that their hash is what it was before any of this was kept. */
function besideLabels({ content, preference, readings, fieldsText }: Sample): string {
  const context =
    content.kind === 'text' ? [] : content.conversation.turns.flatMap(({ trained }, i) => (trained === false ? [i] : []));
  const told = {
    ...(context.length > 0 && { context }),
    ...(preference && { preference }),
    ...(readings && { readings }),
    ...(fieldsText && { fields: fieldsText }),
  };
  return Object.keys(told).length > 0 ? ` ${JSON.stringify(told)}` : '';
}

/** Attributes by name: their order in the input says nothing. */
function labelsByTurn(content: SampleContent): [string, number][][] {
  const sorted = (label: Label) => Object.entries(label).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return content.kind === 'text' ? [] : content.conversation.turns.map(({ label }) => sorted(label ?? {}));
}

/** In an order of its own, whichever the fields were written in. */
function spelled({ name, version, attributes }: AttributeSchema): unknown[] {
  const fields = attributes.map(({ name, aliases, description, levels, default: level, cap }) => {
    return [name, aliases, description, levels, level, cap];
  });
  return [name, version, fields];
}
