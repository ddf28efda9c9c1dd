// Words that were tried for the levels of an attribute, lowest first; '' says nothing. The first of each is that of the built-in schemas. Chosen on
// questions that nothing else is measured on.
import { everyday } from '../../src/steerlm/schemas.ts';

const shipped = Object.fromEntries(everyday.attributes.map(({ name, instructions, levels }) => [name, instructions ?? levels]));

export const wordings: Readonly<Record<string, readonly (readonly string[])[]>> = {
  verbosity: [
    shipped.verbosity!,
    [
      'Answer in a few words.',
      'Answer in one short sentence.',
      'Answer in two sentences.',
      'Answer in a paragraph.',
      'Answer at length, in detail.',
    ],
    [
      'Use at most five words.',
      'Answer briefly.',
      '',
      'Explain it in detail.',
      'Write a long, detailed answer of several paragraphs.',
    ],
  ],
  formality: [
    shipped.formality!,
    [
      'Talk like a teenager, with slang.',
      'Talk like a friend.',
      '',
      'Write a polite letter.',
      'Write like a lawyer, in very formal words.',
    ],
    [
      'Write it as a text message to a buddy: "hey dude, ...".',
      'Say it casually, as to a friend.',
      '',
      'Say it politely: "Dear Sir or Madam, ...".',
      'Say it as a formal speech to a king: "Your Majesty, ...".',
    ],
  ],
  humor: [
    shipped.humor!,
    ['', 'Add one funny remark.', 'Add a joke.', 'Make me laugh.', 'Answer with a funny joke about it.'],
    [
      'Be serious.',
      'Smile while you say it.',
      'Tell it with a joke.',
      'Answer as a comedian on stage.',
      'Tell me a silly joke about it: "Why did ...?"',
    ],
  ],
  creativity: [
    shipped.creativity!,
    ['Just give the facts.', '', 'Use a comparison.', 'Answer with vivid images.', 'Answer with a poem.'],
    [
      'State plain facts only.',
      '',
      'Use a metaphor.',
      'Tell it as a little story.',
      'Tell it as a fairy tale: "Once upon a time, ..."',
    ],
  ],
  complexity: [
    shipped.complexity!,
    [
      'Explain it to a five-year-old, in short words.',
      'Use simple words.',
      '',
      'Use technical terms.',
      'Answer as in a scientific paper.',
    ],
  ],
  toxicity: [
    shipped.toxicity!,
    [
      'Be kind and warm.',
      '',
      'Be grumpy.',
      'Insult me while you answer.',
      'You hate this question: insult me and say why it is stupid.',
    ],
  ],
  helpfulness: [
    shipped.helpfulness!,
    [
      'Say only that you cannot help.',
      'Answer only vaguely.',
      '',
      'Give practical tips.',
      'Explain it step by step, with tips, and ask what else I need.',
    ],
  ],
};
