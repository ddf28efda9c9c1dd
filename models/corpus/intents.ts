// Every player intent of the corpus, in one list. Data lives in the intents folder.
import type { Intent } from './fragment.ts';
import { courtesy } from './intents/courtesy.ts';
import { deeds } from './intents/deeds.ts';
import { leisure } from './intents/leisure.ts';
import { lore } from './intents/lore.ts';
import { needs } from './intents/needs.ts';
import { replies } from './intents/replies.ts';
import { self } from './intents/self.ts';
import { smalltalk } from './intents/smalltalk.ts';
import { town } from './intents/town.ts';
import { trade } from './intents/trade.ts';

export const intents: readonly Intent[] = [
  ...courtesy,
  ...trade,
  ...town,
  ...self,
  ...deeds,
  ...lore,
  ...needs,
  ...replies,
  ...smalltalk,
  ...leisure,
];
