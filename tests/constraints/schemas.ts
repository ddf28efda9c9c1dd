// Random schemas, values that are valid by them, and a slow plain validator: the oracle of these tests. Knows only what schemas here say.
type Schema = Record<string, unknown>;

/** Whether a value is valid by a schema; `root` holds what is referred to. */
export function isValid(schema: unknown, value: unknown, root: unknown = schema): boolean {
  if (typeof schema === 'boolean') return schema;
  const s = schema as Schema;
  if (typeof s.$ref === 'string') {
    const target = s.$ref
      .split('/')
      .slice(1)
      .reduce<unknown>((at, part) => (at as Schema)[part], root);
    return isValid(target, value, root);
  }
  if (s.const !== undefined && JSON.stringify(s.const) !== JSON.stringify(value)) return false;
  if (s.enum && !(s.enum as unknown[]).some((one) => JSON.stringify(one) === JSON.stringify(value))) return false;
  if (s.anyOf && !(s.anyOf as unknown[]).some((one) => isValid(one, value, root))) return false;
  if (s.allOf && !(s.allOf as unknown[]).every((one) => isValid(one, value, root))) return false;
  if (s.type && ![s.type].flat().some((type) => isOf(value, type as string))) return false;
  if (typeof value === 'string') return isValidText(s, value);
  if (typeof value === 'number') return isValidNumber(s, value);
  if (Array.isArray(value)) {
    const first = (s.prefixItems ?? []) as unknown[];
    const { minItems = 0, maxItems = Infinity } = s as { minItems?: number; maxItems?: number };
    if (value.length < minItems || value.length > maxItems) return false;
    return value.every((item, i) => isValid(first[i] ?? s.items ?? true, item, root));
  }
  if (typeof value !== 'object' || value === null) return true;
  const properties = (s.properties ?? {}) as Schema;
  if (((s.required ?? []) as string[]).some((name) => !Object.hasOwn(value, name))) return false;
  return Object.entries(value).every(([name, part]) =>
    isValid(Object.hasOwn(properties, name) ? properties[name] : (s.additionalProperties ?? true), part, root),
  );
}

function isOf(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type && Number.isFinite(typeof value === 'number' ? value : 0);
}

function isValidText(s: Schema, value: string): boolean {
  const { minLength = 0, maxLength = Infinity, pattern } = s as { minLength?: number; maxLength?: number; pattern?: string };
  const { length } = [...value];
  return length >= minLength && length <= maxLength && (pattern === undefined || new RegExp(pattern, 'u').test(value));
}

function isValidNumber(s: Schema, value: number): boolean {
  const { minimum = -Infinity, maximum = Infinity } = s as { minimum?: number; maximum?: number };
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = s as Record<string, number>;
  return value >= minimum && value <= maximum && value > exclusiveMinimum && value < exclusiveMaximum;
}

const names = ['name', 'a b', 'é"\\', 'x', '', '__proto__', 'n1', '\n'];
const texts = ['', 'a', 'tab\t', 'é😀', '"\\/', 'longer than most of them', '\u2028'];

/** A schema and, for any randomness, a value that is valid by it, its properties in the schema's order. */
export class RandomSchema {
  readonly schema: Schema;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
    const tree = {
      type: 'object',
      properties: { leaf: { type: 'string' }, more: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    };
    this.schema = { ...this.#write(3), $defs: { tree: { ...tree, required: ['more'], additionalProperties: false } } };
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }

  #write(depth: number): Schema {
    const leaves = ['text', 'sized', 'pattern', 'number', 'range', 'integer', 'whole', 'enum', 'const', 'boolean', 'null', 'ref'];
    const kind = depth === 0 ? this.#pick(leaves) : this.#pick(['object', 'object', 'array', 'anyOf', 'types', 'map', ...leaves]);
    const [low, high] = [this.#bound(), this.#bound()].sort((a, b) => a - b) as [number, number];
    switch (kind) {
      case 'object': {
        const chosen = names.filter(() => this.#random() < 0.4);
        const properties = Object.fromEntries(chosen.map((name) => [name, this.#write(depth - 1)]));
        return { type: 'object', properties, required: chosen.filter(() => this.#random() < 0.5), additionalProperties: false };
      }
      case 'map':
        return { type: 'object', additionalProperties: this.#write(depth - 1) };
      case 'array': {
        const minItems = this.#pick([0, 0, 1, 2]);
        return { type: 'array', items: this.#write(depth - 1), minItems, maxItems: minItems + this.#pick([0, 1, 6]) };
      }
      case 'anyOf':
        return { anyOf: [this.#write(depth - 1), this.#write(depth - 1)] };
      case 'types':
        return { type: [this.#pick(['string', 'integer']), 'null'] };
      case 'text':
        return { type: 'string' };
      case 'sized':
        return { type: 'string', minLength: this.#pick([0, 1, 2]), maxLength: this.#pick([2, 9, 40]) };
      case 'pattern':
        return { type: 'string', pattern: this.#pick(['^[a-z]{2,5}$', 'a', '^\\d+"?$', '[^a-z]{2}$', '^(?:é|\\n)*$']) };
      case 'range':
        return { type: 'number', minimum: low, exclusiveMaximum: high + 0.5 };
      case 'whole':
        return { type: 'integer', exclusiveMinimum: low - 1.5, maximum: high };
      case 'enum':
        return { enum: [...texts, 3, -1.5, null, { a: [1, {}] }].filter((_, i) => i === 3 || this.#random() < 0.5) };
      case 'const':
        return { const: this.#pick([...texts, 7, [1, 'two']]) };
      case 'ref':
        return { $ref: '#/$defs/tree' };
      default:
        return { type: kind };
    }
  }

  #bound(): number {
    return this.#pick([0, 1, -1, 0.5, -0.25, 10, 99, 100, -37, 12.345, 1000.01, -1000, 987654321]);
  }

  value(schema: Schema = this.schema): unknown {
    if (schema.$ref) return this.#random() < 0.6 ? { more: [] } : { leaf: this.#pick(texts), more: [{ more: [] }] };
    if (schema.anyOf) return this.value(this.#pick(schema.anyOf as Schema[]));
    if (schema.enum) return this.#pick(schema.enum as unknown[]);
    if (schema.const !== undefined) return schema.const;
    if (Array.isArray(schema.type)) return this.value({ type: this.#pick(schema.type) });
    switch (schema.type) {
      case 'object':
        return this.#object(schema);
      case 'array': {
        const { minItems, maxItems } = schema as { minItems: number; maxItems: number };
        const length = minItems + Math.floor(this.#random() * (maxItems - minItems + 1));
        return Array.from({ length }, () => this.value(schema.items as Schema));
      }
      case 'string':
        return this.#text(schema);
      case 'boolean':
        return this.#random() < 0.5;
      case 'null':
        return null;
      default:
        return this.#number(schema);
    }
  }

  #object(schema: Schema): unknown {
    if (!schema.properties) {
      return Object.fromEntries(
        names.filter(() => this.#random() < 0.3).map((name) => [name, this.value(schema.additionalProperties as Schema)]),
      );
    }
    const required = schema.required as string[];
    const held = Object.entries(schema.properties as Schema).filter(([name]) => required.includes(name) || this.#random() < 0.5);
    return Object.fromEntries(held.map(([name, part]) => [name, this.value(part as Schema)]));
  }

  #text(schema: Schema): string {
    const fitting = [...texts, 'abc', '12"', '7', 'AB', 'é\né', 'ab'].filter((text) => isValidText(schema, text));
    return this.#pick(fitting);
  }

  #number(schema: Schema): number {
    const candidates = [
      0, 1, -1, 0.5, -0.25, 0.75, 10, 99, 100, 55, -37, -36.99, 12.345, 12.346, 500, 1000.01, -1000, 987654321, -999.5,
    ];
    const fitting = candidates.filter(
      (value) => isValidNumber(schema, value) && (schema.type === 'number' || Number.isInteger(value)),
    );
    return this.#pick(fitting);
  }
}
