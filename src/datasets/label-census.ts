// Which attributes the labels of a dataset name and how high their values go, to find the schema of data that brings none.

import type { AttributeSchema } from '../steerlm/attributes.ts';
import { builtInSchemas } from '../steerlm/schemas.ts';
import { formats } from './formats/table.ts';
import type { SampleContent } from './sample.ts';

export class LabelCensus {
  count = 0;
  readonly #highest = new Map<string, number>();

  add(content: SampleContent): void {
    if (content.kind === 'text') return;
    for (const { label } of content.conversation.turns) {
      for (const [name, value] of Object.entries(label ?? {})) {
        this.count++;
        this.#highest.set(name, Math.max(this.#highest.get(name) ?? 0, value));
      }
    }
  }

  /** The first known schema that has room for every label, else one made of the names in order of appearance, five levels or more each. */
  schema(name: string): AttributeSchema {
    const own = Object.values(formats).flatMap(({ schema }) => (schema ? [schema] : []));
    return [...builtInSchemas, ...own].find((schema) => this.#fits(schema)) ?? this.#inferred(name);
  }

  #fits({ attributes }: AttributeSchema): boolean {
    const levels = new Map(attributes.map((attribute) => [attribute.name, attribute.levels.length]));
    return [...this.#highest].every(([name, value]) => value <= (levels.get(name) ?? 0) - 1);
  }

  #inferred(name: string): AttributeSchema {
    const attributes = [...this.#highest].map(([attribute, highest]) => {
      const levels = Array.from({ length: Math.max(5, Math.ceil(highest) + 1) }, (_, level) => `level ${level}`);
      return { name: attribute, aliases: [], description: '', levels, default: null, cap: levels.length - 1 };
    });
    return { name, version: 1, attributes };
  }
}
