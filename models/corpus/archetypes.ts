// All archetypes a character can be, game and everyday. Data lives in the archetypes folder.
import { indoors } from './archetypes/indoors.ts';
import { outdoors } from './archetypes/outdoors.ts';
import { unusual } from './archetypes/unusual.ts';
import type { Archetype } from './fragment.ts';

export const archetypes: readonly Archetype[] = [...indoors, ...outdoors, ...unusual];
