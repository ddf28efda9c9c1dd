// One setting of the dials and what comes of it.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Attribute, RenderedPrompt } from '../../openapi/schemas.d.ts';
import { counted } from '../number-text.ts';
import { post } from './api.ts';
import { askedOf, contrastOf, DialsView, dialsOf, type Vectors } from './dials.tsx';
import { Notice } from './frame.tsx';
import { Ratings } from './ratings.tsx';
import { SteeringBars } from './steering-bars.tsx';
import { type Reply, useReply } from './use-reply.ts';

interface ColumnProps {
  name: string;
  model: string;
  system: string;
  /** What the player said last; counted, so that the same words may be said again. */
  sent: { text: string; count: number } | undefined;
  rater: string;
  attributes: Attribute[];
  vectors: Vectors;
  /** Whether what it writes can be measured unasked. */
  measures: boolean;
  /** Begins with other dials than the model has where nothing is asked. */
  contrast: boolean;
}

export function Column({ name, model, system, sent, rater, attributes, vectors, measures, contrast }: ColumnProps) {
  const [dials, setDials] = useState(() => (contrast ? contrastOf : dialsOf)(attributes));
  const [prompt, setPrompt] = useState<string>();
  const [refused, setRefused] = useState<unknown>();
  const { reply, writing, error, write, stop } = useReply();
  const request = () => ({
    model,
    messages: [
      ...(system.trim() === '' ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: sent?.text ?? '' },
    ],
    ...askedOf(dials, measures),
  });
  const begin = () => {
    setPrompt(undefined);
    setRefused(undefined);
    void write(request());
  };
  const heard = useRef(sent?.count);
  useEffect(() => {
    // What was said before this column was there is asked again only on demand.
    if (sent?.count !== heard.current) begin();
    heard.current = sent?.count;
  }, [sent?.count]);
  const showPrompt = async () => {
    try {
      setPrompt((await post<RenderedPrompt>('/v1/chat/completions/render', request())).prompt);
    } catch (failure) {
      setRefused(failure);
    }
  };
  return (
    <section class="card column" aria-label={name}>
      <h2>{name}</h2>
      <DialsView {...{ attributes, vectors, dials, measures }} onChange={setDials} />
      <div class="row">
        <button type="button" disabled={!sent || writing} onClick={begin}>
          Again
        </button>
        <button type="button" disabled={!writing} onClick={stop}>
          Stop
        </button>
        <button type="button" disabled={!sent} onClick={showPrompt}>
          Show the exact prompt
        </button>
      </div>
      <Notice error={error ?? refused} />
      {prompt !== undefined && (
        <figure class="prompt">
          <figcaption class="quiet-text">Exact prompt, control tokens spelt out</figcaption>
          <pre>{prompt}</pre>
        </figure>
      )}
      {reply && <ReplyView {...{ reply, writing, rater, attributes }} />}
    </section>
  );
}

interface ReplyProps {
  reply: Reply;
  writing: boolean;
  rater: string;
  attributes: Attribute[];
}

function ReplyView({ reply: { id, text, tokens, ms, steering }, writing, rater, attributes }: ReplyProps) {
  return (
    <>
      <p class={`reply${writing ? ' writing' : ''}`} aria-live="polite" aria-busy={writing}>
        {text}
      </p>
      {tokens !== undefined && (
        <p class="quiet-text">
          {counted(tokens, 'token')} in {Math.round(ms as number)} ms
        </p>
      )}
      {steering && <SteeringBars attributes={attributes} steering={steering} />}
      {steering && id && <Ratings key={id} completion={id} {...{ rater, attributes }} />}
    </>
  );
}
