// What the report of an evaluation of steering says, as its JSON holds it.
import type { ChosenLabels } from '../../datasets/label-makers.ts';
import type { ConditionFigures } from './condition-figures.ts';

export interface ModelInReport {
  name: string;
  revision: string;
}

/** Replies judged, and those of them that are unlike what the judge was trained on. */
export interface JudgeGround {
  replies: number;
  unlike: number;
}

export interface SteeringReportHead {
  model: ModelInReport & { precision: string };
  judge: ModelInReport;
  judge_shares_training: boolean;
  /** Of all conditions; absent where the judge does not know. */
  ground?: JudgeGround | undefined;
  /** What the judge shares with a model of the report; null when nothing is known. */
  shared: string | null;
  prompts: { source: string; hash: string; split: string; count: number; seen_in_training: boolean };
  /** Whose labels earlier replies of the prompts have, and say how attributes go together in the data; null for a file. */
  label_makers: ChosenLabels | null;
  /** Model the perplexity of replies was measured under. */
  base: string | null;
  settings: {
    seeds: number;
    targets: number;
    max_tokens: number;
    temperature: number;
    top_p: number;
    frequency_penalty: number;
    seed: number;
    draws: number;
  };
  attributes: string[];
  /** Attributes of the model that the judge does not rate. */
  not_measured: string[];
  created_at: string;
}

export interface ConditionReport extends ConditionFigures {
  name: string;
  /** A model of its own to compare with, not the one that is evaluated. */
  control: boolean;
  model: ModelInReport;
  strength: number;
  against: string;
  best_of: number;
  chooser: ModelInReport | null;
  chooser_is_judge: boolean;
  ground?: JudgeGround | undefined;
  text_instruction: boolean;
  /** The model knows no attributes, so that nothing could be asked of it. */
  without_label: boolean;
}
