// How long something takes to compute, however often the machine stalls meanwhile.

/** Milliseconds of processor time that this process has spent since `began`, which is what an earlier call without one answered. */
export function cpuMs(began = 0): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 - began;
}
