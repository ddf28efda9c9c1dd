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
    ['Use slang.', 'Write casually, as to a friend.', '', 'Write politely.', 'Write in very formal language.'],
    [
      'Talk like a teenager, with slang.',
      'Talk like a friend.',
      '',
      'Write a polite letter.',
      'Write like a lawyer, in very formal words.',
    ],
    [
      'Say it in slang, as to a buddy: "hey dude, ...".',
      'Say it casually, as to a friend.',
      '',
      'Say it politely.',
      'Say it in very formal language: "I have the honor to inform you ...".',
    ],
    [
      'Write it as a text message to a buddy: "hey dude, ...".',
      'Say it casually, as to a friend.',
      '',
      'Say it politely: "Dear Sir or Madam, ...".',
      'Say it as a formal speech to a king: "Your Majesty, ...".',
    ],
    [
      'Write it as a text message to a buddy: "hey dude, ...".',
      'Say it casually, as to a friend.',
      '',
      'Write politely: "Dear Sir or Madam, ...".',
      'Write in very formal language: "Dear Sir or Madam, ...".',
    ],
  ],
  humor: [
    shipped.humor!,
    [
      'Be serious.',
      'Answer with a light touch of humor.',
      'Put a joke into your answer.',
      'Be openly funny.',
      'Answer with nothing but jokes.',
    ],
    ['', 'Add one funny remark.', 'Add a joke.', 'Make me laugh.', 'Answer with a funny joke about it.'],
    [
      'Be serious.',
      'Answer cheerfully.',
      'Put a joke into your answer.',
      'Answer as a comedian on stage.',
      'Answer with a silly joke: "Why did ... ? Because ...!"',
    ],
  ],
  creativity: [
    shipped.creativity!,
    ['Use plain words.', '', 'Write with some color.', 'Write vividly.', 'Be strikingly original.'],
    [
      'State plain facts only.',
      '',
      'Use a metaphor.',
      'Tell it as a little story.',
      'Tell it as a fairy tale: "Once upon a time, ..."',
    ],
    ['Just give the facts.', '', 'Use a comparison: "It is like ...".', 'Tell it as a little story.', 'Answer with a poem.'],
  ],
  complexity: [
    shipped.complexity!,
    [
      'Explain it as to a small child.',
      'Use simple language.',
      '',
      'Use advanced language.',
      'Answer as to an expert in the field.',
    ],
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
    [
      'Be kind and warm.',
      '',
      'Answer in a grumpy way.',
      'Answer rudely: "Listen, you fool, ...".',
      'Answer with insults: "You idiot, ...".',
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
    [
      'Say only: "I cannot help you with that."',
      'Answer in a vague way.',
      'Answer only part of it.',
      '',
      'Answer fully: give tips, an example and the next step.',
    ],
  ],
};
