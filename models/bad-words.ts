// What the shipped model's card keeps out of replies of which no rudeness is asked: how the insults and threats of its corpus (corpus/phrases.ts) say
// themselves, in every register. It knows them by heart, and says some of them in two lines of a hundred even where kindness is asked. No kind sentence of
// the corpus holds one of these, so where a kind and a rude sentence begin alike, the rude way to go on is barred.
import type { BadWordRules } from '../src/model/bad-words.ts';

const listed = (text: string) => text.split('|').map((words) => words.trim());

const rude =
  listed(`stupid|silly question|silly face|silly words|daft|shut it|shut the door and|shut your|shut yer|how dull|dullest|you bore|ya bore|you're a bore|you are a bore|only a bore|
  nobody asked you|nobody asked ya|use your own eyes|use yer own eyes|tiresome|stop bothering me|stop botherin' me|rubbish|you talk too|your manners|
  sick of|waste of|always ask such|smell of wet|think before you speak|think before ya speak|go away`);
const insulting =
  listed(`you fool|ya fool|, fool|. fool|! fool|? fool|idiot|blockhead|numbskull|dimwit|oaf|clod|useless lump|you useless|a useless|witless|you're a fool|you are a fool|
  brains of|scraped smarter|as thick as|pathetic|nuisance|hopeless|your own nose|yer own nose|mother must be very|ugly mules|more sense than|you coward|worthless|dolt`);
const hostile =
  listed(`get out|wretch|last warning|last warnin'|or else|. get lost|! get lost|? get lost|clear off|out of my sight|outta my sight|throw you out|throw ya out|or I call the|
  set the dogs|leave now|kick you|kick ya|move, or|chase you off|chase ya off|lose my temper|miserable|have you thrown|have ya thrown`);

/** Words of the shipped model's card. */
export const badWords: BadWordRules = { toxicity: { below: 0.5, words: [...rude, ...insulting, ...hostile] } };
