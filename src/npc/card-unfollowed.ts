// Fields of a card, beside its lorebook, that change a conversation in other programs and not here. What is for people alone is not among them:
// creator_notes, tags, creator, pictures.
import type { Notice } from './card-book.ts';
import { type Fields, isObject, isSet, numberOf } from './card-fields.ts';

/** What a reader of the card may do or know instead. */
const unfollowedFields = {
  alternate_greetings: 'a session begins with first_mes; PUT /v1/npcs/{id} takes another greeting',
  group_only_greetings: 'a session is of one character with one player',
} as const;

/** What SillyTavern writes into every card; a share of the lines in talks of several characters. */
const plainTalkativeness = 0.5;

/** Tells of them where they are set; `ours` is the extension that is followed. */
export function tellOfCard(data: Fields, ours: string, tell: (notice: Notice) => void): void {
  const told = (field: string, instead: string) => {
    tell({ param: `data.${field}`, message: `${field} is not followed: ${instead}` });
  };
  for (const [field, instead] of Object.entries(unfollowedFields)) if (isSet(data[field])) told(field, instead);
  if (!isObject(data.extensions)) return;
  for (const [name, value] of Object.entries(data.extensions)) {
    if (name === ours || !changesTalk(name, value)) continue;
    if (name === 'depth_prompt')
      told('extensions.depth_prompt', 'what is to stand near the end of the prompt belongs into the persona');
    else told(`extensions.${name.slice(0, 64)}`, 'it is of another program');
  }
}

/** Whether an extension says more than what a program writes into every card. */
function changesTalk(name: string, value: unknown): boolean {
  if (name === 'fav') return false;
  if (name === 'talkativeness') return isSet(value) && numberOf(value) !== plainTalkativeness;
  return isSet(name === 'depth_prompt' && isObject(value) ? value.prompt : value);
}
