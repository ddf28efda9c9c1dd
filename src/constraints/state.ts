// The states a network is made of.

export interface Edge {
  first: number;
  last: number;
  next: State;
}

export type State = { id: number } & (
  | { kind: 'bytes'; edges: Edge[] }
  | { kind: 'split'; next: State[] }
  /** Reads what the rule reads, then goes on at `next`. */
  | { kind: 'call'; rule: Entry; next: State }
  /** A rule ends. */
  | { kind: 'end' }
);

export interface Entry {
  start: State;
}
