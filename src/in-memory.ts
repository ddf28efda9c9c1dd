/** A data folder's name that keeps the embedded database, and all else that would lie in the folder, in memory. */
export const inMemory = ':memory:';
