// The parts of replies that the pages read; the whole of them stands in openapi.json.

export interface Page<T> {
  data: T[];
  last_id: string | null;
  has_more: boolean;
}

export interface Attribute {
  name: string;
  description: string;
  min: number;
  max: number;
  default: number | null;
  cap: number;
  levels: string[];
}

export interface Model {
  id: string;
  kind: 'language' | 'predictor';
  status: string;
  aliases: string[];
  parent: string | null;
  attributes: string[];
}

export type Levels = Record<string, number>;

export interface Steering {
  requested: Record<string, number | null>;
  applied: Levels;
  measured?: Record<string, { value: number; level: number; confidence: number }>;
}

export interface Chunk {
  id: string;
  choices: { delta: { content?: string }; finish_reason: string | null; steering?: Steering }[];
  usage?: { completion_tokens: number } | null;
}

export interface Dataset {
  id: string;
  name: string;
  version: number;
  format: string;
  samples: number;
  created_at: number;
}

export interface Inspection {
  samples: number;
  conversations: number;
  duplicates: number;
  replies: number;
  splits: { train: number; validation: number };
  labels: {
    attribute: string;
    source: string;
    turns: number;
    coverage: number;
    labels: number;
    mean: number;
    levels: number[];
  }[];
}

export interface Sample {
  position: number;
  split: string;
  messages: { role: string; content: string }[] | null;
  text: string | null;
  labels: { message: number; attribute: string; value: number; level: number; source: string; author: string }[];
}

export interface Run {
  id: string;
  status: string;
  model: string;
  fine_tuned_model: string | null;
  method: { type: string };
  created_at: number;
  finished_at: number | null;
  estimated_finish: number | null;
  error: { code: string; message: string } | null;
  progress: { phase: string | null; step: number; total: number | null };
}

export interface Checkpoint {
  id: string;
  fine_tuned_model_checkpoint: string;
  step_number: number;
  metrics: { train_loss?: number; valid_loss?: number };
}

export interface RunEvent {
  id: string;
  created_at: number;
  level: string;
  type: 'message' | 'metrics';
  message: string;
  data: Record<string, unknown> | null;
}

export interface Interval {
  value: number;
  low: number;
  high: number;
}

export interface Mood {
  at: number;
  entries: number;
  relationship: number;
  attributes: Record<
    string,
    { value: number; baseline: number; contributions: { source: string; event?: string; amount: number; remaining: number }[] }
  >;
}

export interface Condition {
  name: string;
  attributes: Record<
    string,
    {
      figures: Record<string, Interval | null>;
      curve: { requested: number; obtained: Interval }[];
    }
  >;
  leakage: { attributes: string[]; matrix: (Interval | null)[][] };
}

export interface SteeringReport {
  created_at: string;
  judge: { name: string };
  prompts: { count: number; source: string; seen_in_training: boolean };
  attributes: string[];
  conditions: Condition[];
}

export interface ModelReport {
  model: string;
  measured: Record<string, unknown>;
  evaluations: { steering?: SteeringReport; predictor?: Record<string, unknown>; likelihood?: Record<string, unknown> };
}

export interface Rater {
  id: string;
  weight: number;
  flagged: boolean;
  reason: string | null;
  feedback: number;
  last_at: number;
  figures: { compared: number; bias: number | null; kappa: number | null; rank_correlation: number | null };
}

export interface Leaderboard {
  votes: number;
  connected: boolean;
  data: {
    model: string;
    rank: number;
    rating: number;
    lower: number;
    upper: number;
    wins: number;
    losses: number;
    ties: number;
  }[];
}

export interface Npc {
  id: string;
  name: string;
  persona: string;
  rules: { event: string }[];
}

export interface NpcSession {
  id: string;
  player_id: string;
  player_name: string;
  entries: number;
  at: number | null;
  relationship: number;
  greeting: string | null;
}

export interface LogEntry {
  position: number;
  kind: 'event' | 'scene' | 'heard' | 'spoke' | 'preferences';
  at: number;
  text?: string;
  type?: string;
  name?: string;
}

export type Said =
  | { object: 'npc.sentence'; text: string }
  | { object: 'npc.line'; id: string | null; text: string; steering: Steering; action?: string; fallback: boolean };
