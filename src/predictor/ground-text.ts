// What is said of labels of replies that a predictor knows little of.

/** How many of the labelled replies are unlike its training. */
export function unlikeText(predictor: string, { replies, unlike }: { replies: number; unlike: number }): string {
  const number = (n: number) => n.toLocaleString('en');
  return `${number(unlike)} of ${number(replies)} replies are unlike what ${predictor} was trained on; its labels say little there.`;
}
