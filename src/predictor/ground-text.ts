// What is said of labels of replies that a predictor knows little of.

/** How many of the replies it labelled or rated are unlike its training. */
export function unlikeText(
  predictor: string,
  { replies, unlike }: { replies: number; unlike: number },
  given: 'labels' | 'ratings' = 'labels',
): string {
  const number = (n: number) => n.toLocaleString('en');
  return `${number(unlike)} of ${number(replies)} replies are unlike what ${predictor} was trained on; its ${given} say little there.`;
}
