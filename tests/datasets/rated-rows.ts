/** Rows of HelpSteer, two replies to each question, one rating left out. */
export const ratedRows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    prompt: `Question ${Math.floor(i / 2)} <extra_id_2>quality:4`,
    response: `Answer ${i}`,
    helpfulness: i % 5,
    verbosity: (i % 4) + 0.5,
    coherence: -100,
  }));
