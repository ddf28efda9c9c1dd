// Read first. Attributes, schemas, conversations, and the one prompt layout that training, labelling and serving share.
// Knows no tokenizer and no model: a layout is a list of pieces, each either a control token or plain text, each trained or not.
// Layout after NeMo-Aligner's SteerLM (gpt_sft_chat_dataset.py): labels are never trained, replies and the turn token that ends them are.
import { SteerError } from './errors.ts';

export interface Attribute {
  name: string;
  /** Other spellings callers may use, e.g. humour for humor. */
  aliases: string[];
  description: string;
  /** What each level means, lowest first; the scale runs from 0 to levels.length - 1. */
  levels: string[];
  /** Level applied when the caller says nothing; null leaves the attribute out of the label. */
  default: number | null;
  /** Highest level a caller is given; requests above it are lowered to it. */
  cap: number;
}

/** The attributes a model was trained with, in the order its labels list them. */
export interface AttributeSchema {
  name: string;
  version: number;
  attributes: Attribute[];
}

/** Attribute values by canonical name; an absent attribute is not said. Stored as rated, rounded only in a prompt. */
export type Label = Record<string, number>;
/** Attribute values as a caller asks for them: null means "leave it open", absent means the default. */
export type RequestedAttributes = Record<string, number | null>;

export type Role = 'user' | 'assistant';

export interface Turn {
  role: Role;
  content: string;
  /** Label of an assistant turn; absent or empty means unlabelled. */
  label?: Label;
}

export interface Conversation {
  system: string;
  turns: Turn[];
}

/** Version of the layout below; stored in every model's steerlm.json. Change the layout, change the number. */
export const promptLayoutVersion = 1;

/** Spelling of the control tokens in a tokenizer's vocabulary. */
export const controlTokens = { system: '<extra_id_0>', turn: '<extra_id_1>', label: '<extra_id_2>' } as const;
export type ControlToken = keyof typeof controlTokens;

/** Part of a prompt. Text is only ever encoded as text, so nothing a caller writes can become a control token. */
export type Piece = ({ control: ControlToken } | { text: string }) & { trained: boolean };

const roleNames: Record<Role, string> = { user: 'User', assistant: 'Assistant' };

export function maxLevel(attribute: Attribute): number {
  return attribute.levels.length - 1;
}

/** `humor:4,verbosity:1`: levels rounded and clamped, in schema order; empty when the label says nothing the schema knows. */
export function formatLabel(schema: AttributeSchema, label: Label): string {
  return schema.attributes
    .filter((attribute) => label[attribute.name] !== undefined)
    .map((attribute) => `${attribute.name}:${nearestLevel(attribute, label[attribute.name] as number)}`)
    .join(',');
}

export function nearestLevel(attribute: Attribute, value: number): number {
  return Math.min(maxLevel(attribute), Math.max(0, Math.round(value)));
}

/** Pieces of a whole conversation for supervised training, ending with the trained turn token of the next speaker. */
export function layOutTraining(schema: AttributeSchema, conversation: Conversation): Piece[] {
  const pieces = layOutSystem(conversation.system);
  let replied = false;
  for (const turn of conversation.turns) {
    pieces.push(...layOutTurn(schema, turn, replied));
    replied = turn.role === 'assistant';
  }
  if (replied) pieces.push({ control: 'turn', trained: true });
  return pieces;
}

/** Pieces of a prompt that asks for the next assistant turn under `label`; generation starts right after them. */
export function layOutPrompt(schema: AttributeSchema, conversation: Conversation, label: Label): Piece[] {
  const pieces = layOutTraining(schema, conversation).map((piece) => ({ ...piece, trained: false }));
  if (conversation.turns.at(-1)?.role !== 'assistant') pieces.push(control('turn'));
  pieces.push(text('Assistant\n'), ...layOutLabel(schema, label));
  return pieces;
}

/** Pieces the predictor reads: no labels anywhere, cut after the last turn, closed by a bare label token. */
export function layOutScoring(schema: AttributeSchema, conversation: Conversation): Piece[] {
  const turns = conversation.turns.map(({ role, content }) => ({ role, content }));
  const pieces = turns.flatMap((turn) => layOutTurn(schema, turn, false));
  return [...layOutSystem(conversation.system), ...pieces, control('label')].map((piece) => ({ ...piece, trained: false }));
}

/** The prompt as a person would read it, control tokens spelled out. For display only: never encode this string. */
export function spellPieces(pieces: Piece[]): string {
  return pieces.map((piece) => ('control' in piece ? controlTokens[piece.control] : piece.text)).join('');
}

/** Text the model produced, with the newline that closes every turn removed. */
export function trimReply(reply: string): string {
  return reply.endsWith('\n') ? reply.slice(0, -1) : reply;
}

function layOutSystem(system: string): Piece[] {
  return [control('system'), text('System\n'), text(system.trim()), text('\n')];
}

/** `afterReply` trains the leading turn token: it is how the model learns to stop. */
function layOutTurn(schema: AttributeSchema, turn: Turn, afterReply: boolean): Piece[] {
  const trained = turn.role === 'assistant';
  return [
    { control: 'turn', trained: afterReply },
    text(`${roleNames[turn.role]}\n`),
    ...layOutLabel(schema, trained ? (turn.label ?? {}) : {}),
    { text: turn.content.trim(), trained },
    { text: '\n', trained },
  ];
}

function layOutLabel(schema: AttributeSchema, label: Label): Piece[] {
  const line = formatLabel(schema, label);
  return line === '' ? [] : [control('label'), text(`${line}\n`)];
}

function control(name: ControlToken): Piece {
  return { control: name, trained: false };
}

function text(value: string): Piece {
  return { text: value, trained: false };
}

/** Attribute of that name or alias, any case. Throws unknown_attribute naming the nearest known one. */
export function findAttribute(schema: AttributeSchema, name: string): Attribute {
  // The distance below is quadratic in the length of a name that a caller chose.
  const wanted = name.slice(0, 64).toLowerCase();
  const found = schema.attributes.find((attribute) => attribute.name === wanted || attribute.aliases.includes(wanted));
  if (found) return found;
  const known = schema.attributes.map((attribute) => attribute.name);
  const nearest = known.toSorted((a, b) => editDistance(a, wanted) - editDistance(b, wanted))[0];
  const remedy = nearest ? `Did you mean ${nearest}? Known: ${known.join(', ')}.` : 'This model has no attributes to steer.';
  const shown = name.slice(0, 64);
  throw new SteerError('unknown_attribute', `Unknown attribute ${JSON.stringify(shown)}. ${remedy}`, {
    details: { param: `attributes.${shown}` },
  });
}

/**
 * The label a request leads to: aliases resolved, defaults filled in, caps held. Values between levels stay as they are.
 * Throws unknown_attribute, or attribute_out_of_range with the scale.
 */
export function applyAttributes(schema: AttributeSchema, requested: RequestedAttributes): Label {
  const asked = new Map<string, number | null>();
  for (const [name, value] of Object.entries(requested)) {
    const attribute = findAttribute(schema, name);
    if (value !== null && !(value >= 0 && value <= maxLevel(attribute))) {
      throw new SteerError(
        'attribute_out_of_range',
        `Expected ${attribute.name} between 0 and ${maxLevel(attribute)}, got ${value}. GET /v1/attributes lists the scale.`,
        { details: { param: `attributes.${name}` } },
      );
    }
    asked.set(attribute.name, value);
  }
  const applied: Label = {};
  for (const attribute of schema.attributes) {
    const value = asked.has(attribute.name) ? asked.get(attribute.name) : attribute.default;
    if (value !== null && value !== undefined) applied[attribute.name] = Math.min(attribute.cap, value);
  }
  return applied;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] as number;
}
