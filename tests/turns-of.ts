// Whether the event loop turns while something is done on its thread.

/** Turns of the event loop while `act` runs. */
export async function turnsOf(act: () => Promise<unknown>): Promise<number> {
  let [turns, over] = [0, false];
  const turn = () => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await act();
  over = true;
  return turns;
}
