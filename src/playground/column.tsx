// One setting of the dials and what comes of it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { events, post } from './api.ts';
import { AttributeSlider, type Setting, settingOf } from './attribute-slider.tsx';
import { isAborted, Notice } from './frame.tsx';
import { Ratings } from './ratings.tsx';
import { SteeringBars } from './steering-bars.tsx';
import type { Attribute, Chunk, Steering } from './wire.ts';

interface ColumnProps {
  name: string;
  model: string;
  system: string;
  /** What the player said last; counted, so that the same words may be said again. */
  sent: { text: string; count: number } | undefined;
  rater: string;
  attributes: Attribute[];
}

interface Reply {
  id?: string;
  text: string;
  steering?: Steering;
  tokens?: number;
  ms?: number;
}

const bestOfChoices = [1, 2, 4, 8];

export function Column({ name, model, system, sent, rater, attributes }: ColumnProps) {
  const [settings, setSettings] = useState<Record<string, Setting>>(() => {
    return Object.fromEntries(attributes.map((attribute) => [attribute.name, settingOf(attribute)]));
  });
  const [strength, setStrength] = useState(1);
  const [bestOf, setBestOf] = useState(1);
  const [reply, setReply] = useState<Reply>();
  const [writing, setWriting] = useState(false);
  const [error, setError] = useState<unknown>();
  const [prompt, setPrompt] = useState<string>();
  const running = useRef<AbortController | undefined>(undefined);

  const request = (text: string) => ({
    model,
    messages: [...(system.trim() === '' ? [] : [{ role: 'system', content: system }]), { role: 'user', content: text }],
    attributes: Object.fromEntries(Object.entries(settings).map(([key, { value, open }]) => [key, open ? null : value])),
    steering: { measure: true, ...(strength === 1 ? {} : { strength }), ...(bestOf === 1 ? {} : { best_of: bestOf }) },
  });

  const write = async (text: string) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    const begun = performance.now();
    setError(undefined);
    setPrompt(undefined);
    setWriting(true);
    let written: Reply = { text: '' };
    setReply(written);
    try {
      const body = { ...request(text), stream: true, stream_options: { include_usage: true } };
      for await (const { id, choices, usage } of events<Chunk>('/v1/chat/completions', { body, signal: stop.signal })) {
        const [choice] = choices;
        written = {
          id,
          text: written.text + (choice?.delta.content ?? ''),
          ...((choice?.steering ?? written.steering) ? { steering: choice?.steering ?? written.steering! } : {}),
          ...(usage ? { tokens: usage.completion_tokens, ms: performance.now() - begun } : {}),
        };
        setReply(written);
      }
    } catch (failure) {
      if (!isAborted(failure)) setError(failure);
    } finally {
      if (running.current === stop) setWriting(false);
    }
  };

  useEffect(() => {
    if (sent) void write(sent.text);
    return () => running.current?.abort();
  }, [sent?.count]);

  const showPrompt = async () => {
    try {
      setPrompt((await post<{ prompt: string }>('/v1/chat/completions/render', request(sent?.text ?? ''))).prompt);
    } catch (failure) {
      setError(failure);
    }
  };

  return (
    <section class="card column" aria-label={name}>
      <h2>{name}</h2>
      <div class="sliders">
        {attributes.map((attribute) => (
          <AttributeSlider
            key={attribute.name}
            attribute={attribute}
            setting={settings[attribute.name] as Setting}
            onChange={(setting) => setSettings({ ...settings, [attribute.name]: setting })}
          />
        ))}
        <label class="slider">
          <span>strength</span>
          <input
            type="range"
            min={0}
            max={3}
            step={0.25}
            value={strength}
            aria-valuetext={strength === 1 ? '1, the plain prompt' : String(strength)}
            onInput={(event) => setStrength(Number(event.currentTarget.value))}
          />
          <output>{strength}</output>
        </label>
        <label class="slider">
          <span>best of</span>
          <select value={bestOf} onChange={(event) => setBestOf(Number(event.currentTarget.value))}>
            {bestOfChoices.map((count) => (
              <option key={count}>{count}</option>
            ))}
          </select>
        </label>
      </div>
      <div class="row">
        <button type="button" disabled={!sent || writing} onClick={() => sent && write(sent.text)}>
          Again
        </button>
        <button type="button" disabled={!writing} onClick={() => running.current?.abort()}>
          Stop
        </button>
        <button type="button" disabled={!sent} onClick={showPrompt}>
          Show the exact prompt
        </button>
      </div>
      <Notice error={error} />
      {prompt !== undefined && (
        <figure class="prompt">
          <figcaption class="quiet-text">Exact prompt, control tokens spelt out</figcaption>
          <pre>{prompt}</pre>
        </figure>
      )}
      {reply && (
        <>
          <p class={`reply${writing ? ' writing' : ''}`} aria-live="polite" aria-busy={writing}>
            {reply.text}
          </p>
          {reply.tokens !== undefined && (
            <p class="quiet-text">
              {reply.tokens} tokens in {Math.round(reply.ms as number)} ms
            </p>
          )}
          {reply.steering && <SteeringBars attributes={attributes} steering={reply.steering} />}
          {reply.steering && reply.id && <Ratings key={reply.id} completion={reply.id} {...{ rater, attributes }} />}
        </>
      )}
    </section>
  );
}
