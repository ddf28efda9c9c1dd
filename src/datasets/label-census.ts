// Which attributes the labels of a dataset name, how often and how high their values go, to find the schema of data that brings none.

import type { AttributeSchema } from '../steerlm/attributes.ts';
import { builtInSchemas } from '../steerlm/schemas.ts';
import { formats } from './formats/table.ts';
import type { SampleContent } from './sample.ts';

export class LabelCensus {
  count = 0;
  /** Labels of each attribute and the highest of their values, in order of appearance. */
  readonly found = new Map<string, { labels: number; highest: number }>();

  add(content: SampleContent): void {
    if (content.kind === 'text') return;
    for (const { label } of content.conversation.turns) {
      for (const [name, value] of Object.entries(label ?? {})) {
        this.count++;
        const { labels, highest } = this.found.get(name) ?? { labels: 0, highest: 0 };
        this.found.set(name, { labels: labels + 1, highest: Math.max(highest, value) });
      }
    }
  }

  /** The attributes that occur, as a known schema describes them or, named `name`, as they follow from the values. */
  schema(name: string): AttributeSchema {
    return this.known() ?? this.inferred(name);
  }

  /** The attributes that occur, as the first known schema describes them that has room for every label; null where none has. */
  known(): AttributeSchema | null {
    const own = Object.values(formats).flatMap(({ schema }) => (schema ? [schema] : []));
    const known = [...builtInSchemas, ...own].find((schema) => this.#fits(schema));
    return known ? this.occurring(known) : null;
  }

  /** The schema without the attributes that do not occur. */
  occurring(schema: AttributeSchema): AttributeSchema {
    return { ...schema, attributes: schema.attributes.filter(({ name }) => this.found.has(name)) };
  }

  #fits({ attributes }: AttributeSchema): boolean {
    const levels = new Map(attributes.map((attribute) => [attribute.name, attribute.levels.length]));
    return [...this.found].every(([name, { highest }]) => highest <= (levels.get(name) ?? 0) - 1);
  }

  /** The attributes by name, five levels or more each: their order in the input says nothing, and an export need not keep it. */
  inferred(name: string): AttributeSchema {
    const found = [...this.found].sort(([a], [b]) => (a < b ? -1 : 1));
    const attributes = found.map(([attribute, { highest }]) => {
      const levels = Array.from({ length: Math.max(5, Math.ceil(highest) + 1) }, (_, level) => `level ${level}`);
      return { name: attribute, aliases: [], description: '', levels, default: null, cap: levels.length - 1 };
    });
    return { name, version: 1, attributes };
  }
}
