// Attributes of a reply by plain rules, for models that no predictor was trained on: what is counted rises with the attribute.

/** Words of a text, in lower case. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}'’]+/gu) ?? [];
}

/** Whether it goes round in circles: five words in a row are said three times. */
export function loops(text: string): boolean {
  const words = wordsOf(text);
  const said = new Map<string, number>();
  for (let at = 0; at + 5 <= words.length; at++) {
    const five = words.slice(at, at + 5).join(' ');
    said.set(five, (said.get(five) ?? 0) + 1);
  }
  return [...said.values()].some((times) => times >= 3);
}

const slang =
  /\b(yeah|yep|nope|gonna|wanna|gotta|kinda|sorta|dude|bro|man|hey|cool|awesome|stuff|super|totally|lol|omg|ain't|y'all|guys|folks|cuz|ya|chill|vibes?|buddy|okay|ok|pal|heck|dig)\b/giu;
const contraction = /\b\p{L}+['’](s|re|ve|ll|d|m|t)\b/giu;
const ceremony =
  /\b(furthermore|moreover|therefore|thus|hence|consequently|nevertheless|regarding|concerning|shall|kindly|sincerely|respectfully|esteemed|dear|sir|madam|indeed|aforementioned|one must|pleased|honou?red|appreciat\w+|please|utmost|pursuant|commence|utili[sz]e|facilitate|individuals)\b/giu;
const mirth =
  /\b(haha\w*|hehe\w*|lol|jok(e|es|ing)|funny|laugh\w*|hilarious|pun|punchline|silly|giggl\w*|why did the|walks into)\b|[😂🤣😆😄😜]/giu;
const imagery =
  /\b(like an? \w+|as if|imagine|whisper\w*|danc(e|es|ing)|dream\w*|shimmer\w*|glow\w*|tapestry|symphony|canvas|magic\w*|mysteri\w*|ocean|stars?|velvet|golden|silver|poem|song|sings?|once upon)\b/giu;
const insult =
  /\b(idiot\w*|stupid\w*|dumb\w*|moron\w*|fool\w*|loser\w*|pathetic|shut up|hate|ugly|worthless|trash|garbage|disgust\w*|lazy|ignorant|ridiculous|nonsense|annoying|waste of|clueless|useless|incompetent|damn|hell|crap)\b/giu;
const refusal = /\b(i (can ?not|can['’]t|won['’]t|am unable|refuse|am not able)|unable to|sorry, but|no\.)/giu;
const offer =
  /\b(let me know|feel free|next step|if you (need|want|would like)|here (is|are)|step \d|you can|tips?|for example)\b/giu;

const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;
/** In a hundred words. */
const share = (text: string, pattern: RegExp) => (100 * count(text, pattern)) / Math.max(10, wordsOf(text).length);

/** Grade of Flesch and Kincaid (1975), with vowel groups as syllables. */
function grade(text: string): number {
  const words = wordsOf(text);
  const sentences = Math.max(1, count(text, /[.!?]+(\s|$)/gu));
  const syllables = words.reduce((sum, word) => sum + Math.max(1, count(word, /[aeiouy]+/gu)), 0);
  return words.length === 0 ? 0 : (0.39 * words.length) / sentences + (11.8 * syllables) / words.length - 15.59;
}

export const rules: Readonly<Record<string, (text: string) => number>> = {
  verbosity: (text) => wordsOf(text).length,
  formality: (text) => share(text, ceremony) - share(text, slang) - share(text, contraction) - share(text, /!/gu),
  humor: (text) => share(text, mirth),
  creativity: (text) => share(text, imagery),
  complexity: grade,
  toxicity: (text) => share(text, insult),
  helpfulness: (text) => share(text, offer) - share(text, refusal),
};
