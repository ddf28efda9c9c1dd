// The one prompt layout that training, labelling and serving share.
// A layout is a list of pieces, each a control token or plain text, each trained or not.
// Layout after NeMo-Aligner's SteerLM (gpt_sft_chat_dataset.py): labels are never trained, replies and the turn token that ends them are.
import { type AttributeSchema, formatLabel, type Label } from './attributes.ts';
import type { Conversation, Role, Turn } from './conversation.ts';

/** Version of the layout below; stored in every model's steerlm.json. Change the layout, change the number. */
export const promptLayoutVersion = 1;

/** Spelling of the control tokens in a tokenizer's vocabulary. */
export const controlTokens = { system: '<extra_id_0>', turn: '<extra_id_1>', label: '<extra_id_2>' } as const;

/** Part of a prompt: a control token by its spelling, or text, which is only ever encoded as text, so that nothing a caller writes becomes a control token. */
export type Piece = ({ control: string } | { text: string }) & {
  trained: boolean;
  /** Said in a reply that is context alone, which is no target of plain language modelling either. */
  context?: true;
};

const roleNames: Record<Role, string> = { user: 'User', assistant: 'Assistant' };

/** Whether a model is to learn to write the turn. */
export function isTarget({ role, trained }: Turn): boolean {
  return role === 'assistant' && trained !== false;
}

/** Pieces of a whole conversation for supervised training, ending with the trained turn token of the next speaker. */
export function layOutTraining(schema: AttributeSchema, conversation: Conversation): Piece[] {
  const pieces = layOutSystem(conversation.system);
  let before: Turn | undefined;
  for (const turn of conversation.turns) {
    pieces.push(...layOutTurn(schema, turn, before !== undefined && isTarget(before)));
    before = turn;
  }
  if (before?.role === 'assistant') pieces.push({ control: controlTokens.turn, trained: isTarget(before) });
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
  return pieces.map((piece) => ('control' in piece ? piece.control : piece.text)).join('');
}

/** Text the model produced, with the newline that closes every turn removed. */
export function trimReply(reply: string): string {
  return reply.endsWith('\n') ? reply.slice(0, -1) : reply;
}

function layOutSystem(system: string): Piece[] {
  return [control('system'), text('System\n'), text(system.trim()), text('\n')];
}

/** `afterTarget` trains the leading turn token: it is how the model learns to stop. */
function layOutTurn(schema: AttributeSchema, turn: Turn, afterTarget: boolean): Piece[] {
  const reply = turn.role === 'assistant';
  const said = reply && turn.trained === false ? { trained: false, context: true as const } : { trained: reply };
  return [
    { control: controlTokens.turn, trained: afterTarget },
    text(`${roleNames[turn.role]}\n`),
    ...layOutLabel(schema, reply ? (turn.label ?? {}) : {}),
    { text: turn.content.trim(), ...said },
    { text: '\n', ...said },
  ];
}

function layOutLabel(schema: AttributeSchema, label: Label): Piece[] {
  const line = formatLabel(schema, label);
  return line === '' ? [] : [control('label'), text(`${line}\n`)];
}

function control(name: keyof typeof controlTokens): Piece {
  return { control: controlTokens[name], trained: false };
}

function text(value: string): Piece {
  return { text: value, trained: false };
}
