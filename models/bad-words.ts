// What the shipped model's card keeps out of replies of which no rudeness is asked: how the insults and threats of its corpus (corpus/phrases.ts) begin, in
// every register. It knows them by heart, and says some of them in two lines of a hundred even where kindness is asked. No kind sentence of the corpus
// holds one of these. Each ends as soon as its sentence can be no other, many within a word, so that little has been said and a kind sentence goes on from it.
import type { BadWordRules } from '../src/model/bad-words.ts';

const listed = (text: string) => text.split('|').map((words) => words.trim());
const ends = ['.', '!', '?'];
/** Where a sentence begins so. */
const atStart = (text: string) => listed(text).flatMap((words) => ends.map((end) => `${end} ${words}`));

const words = [
  // Rude.
  ...listed(`stup|silly question|daf|how dull|the dul|you bore|ya bore|you're a bor|you are a bor|only a bor|use your own|use yer own|stop bo|such rubb|
    you talk|you're aw|you are aw|your man|I'm sick|I am sick|what a wa|do you always|do ya always|smell of wet|I'm tired of your|I'm tired of yer|I am tired of your|nobody asked you|nobody asked ya|think before|go away`),
  ...atStart('shut|nobody asked'),
  // Insulting.
  ...listed(`you foo|ya foo|, fool|you're a f|you are a f|idi|you're an id|you are an id|blockh|numbs|dimw|only a dim|oaf|clod|you usel|ya usel|
    you're a us|you are a us|witl|you have the bra|I've sc|I have sc|even for a|you're as th|you are as th|pathe|nuis|you're hop|you are hop|your mother must|
    met u|more sense than|you cow|a worth|you worth|ya worth|dolt|you toad|ya toad`),
  ...atStart('fool|usel'),
  // Hostile.
  ...listed(`get out|wretch|last war|this is your last|this is yer last|or else|clear off|of my sight|outta my sight|one more word|throw you|throw ya|or I call|
    set the dog|leave now|kick|move,|like the rubb|if you come back|if ya come back|chase you|chase ya|lose my tem|misera`),
  ...atStart('out,|leave,|get lost'),
];

/** Words of the shipped model's card. */
export const badWords: BadWordRules = { toxicity: { below: 0.5, words } };
