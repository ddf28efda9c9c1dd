// One session: what was said, what happened, and the mood over time with everything it is made of.
import { useEffect, useState } from 'preact/hooks';
import { events, get, post } from './api.ts';
import { Awaited, Notice, useLoaded } from './frame.tsx';
import { LineChart } from './line-chart.tsx';
import type { LogEntry, Mood, Npc, Page, Said } from './wire.ts';

interface Moment {
  entries: number;
  mood: Mood;
}

export function NpcTalk({ npc, sessionId }: { npc: Npc; sessionId: string }) {
  const path = `/v1/npcs/${npc.id}/sessions/${sessionId}`;
  const [text, setText] = useState('');
  const [speaking, setSpeaking] = useState<string>();
  const [error, setError] = useState<unknown>();
  const [kept, setKept] = useState('');
  const [moments, setMoments] = useState<Moment[]>([]);
  const log = useLoaded((signal) => get<Page<LogEntry>>(`${path}/log`, signal), [sessionId]);

  const look = async (mood?: Mood) => {
    const found = mood ?? (await get<Mood>(`${path}/mood`));
    setMoments((known) => [...known, { entries: found.entries, mood: found }]);
    log.reload();
  };
  /** What fails is told, and nothing else of the page goes with it. */
  const attempt = async (act: () => Promise<void>) => {
    setError(undefined);
    try {
      await act();
    } catch (failure) {
      setError(failure);
    }
  };
  useEffect(() => void attempt(look), [sessionId]);

  const say = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    setText('');
    void attempt(async () => {
      setSpeaking('');
      log.reload();
      try {
        for await (const said of events<Said>(`${path}/say`, { body: { text, stream: true, max_ms: 20_000 } })) {
          if (said.object === 'npc.sentence') setSpeaking((known) => `${known ?? ''}${said.text}`);
        }
      } finally {
        setSpeaking(undefined);
      }
      await look();
    });
  };
  const tell = (type: string) => attempt(async () => look(await post<Mood>(`${path}/events`, { type })));
  const like = (thumb: 'up' | 'down') =>
    attempt(async () => {
      const { preferences } = await post<{ preferences: Record<string, number> }>(`${path}/feedback`, { thumb });
      const liked = Object.entries(preferences).map(([name, offset]) => `${offset > 0 ? 'more' : 'less'} ${name}`);
      setKept(
        `Kept. ${liked.length === 0 ? 'It takes thumbs both up and down to know what you like.' : `You like ${liked.join(', ')}.`}`,
      );
      await look();
    });
  const goBack = (to: number) =>
    attempt(async () => {
      await post(`${path}/rewind`, { to });
      setMoments((known) => known.filter(({ entries }) => entries <= to));
      await look();
    });

  const mood = moments.at(-1)?.mood;
  return (
    <div>
      <section class="card" aria-label="Talk">
        <h2>{npc.name}</h2>
        <Awaited loaded={log}>
          {({ data }) => (
            <ol class="talk">
              {data.map((entry) => (
                <LogLine key={entry.position} entry={entry} onBack={() => goBack(entry.position)} />
              ))}
              {speaking !== undefined && (
                <li class="spoke writing" aria-live="polite">
                  <p>{speaking}</p>
                </li>
              )}
            </ol>
          )}
        </Awaited>
        <form class="row grow" onSubmit={say}>
          <label>
            <span class="quiet">Say something to {npc.name}</span>
            <input value={text} placeholder="Say something" onInput={(event) => setText(event.currentTarget.value)} />
          </label>
          <button type="submit" class="main" disabled={speaking !== undefined}>
            Say it
          </button>
        </form>
        <fieldset class="row">
          <legend class="quiet">Let something happen</legend>
          {[...new Set(npc.rules.map(({ event }) => event))].map((type) => (
            <button key={type} type="button" onClick={() => tell(type)}>
              {type}
            </button>
          ))}
          <button type="button" onClick={() => like('up')}>
            I like it
          </button>
          <button type="button" onClick={() => like('down')}>
            I do not
          </button>
          <button type="button" onClick={() => attempt(look)}>
            Look again
          </button>
        </fieldset>
        <p role="status" class="quiet-text">
          {kept}
        </p>
        <Notice error={error} />
      </section>
      {mood && <MoodView mood={mood} moments={moments} />}
    </div>
  );
}

function LogLine({ entry, onBack }: { entry: LogEntry; onBack: () => void }) {
  const { kind, text, type, name, position } = entry;
  const said = text ?? type ?? name ?? (kind === 'preferences' ? 'what you like was noted' : kind);
  return (
    <li class={kind}>
      <p>{said}</p>
      <button
        type="button"
        class="link"
        aria-label={`Go back to before: ${said}`}
        data-tip={`Back to entry ${position}`}
        onClick={onBack}
      >
        ↶
      </button>
    </li>
  );
}

function MoodView({ mood, moments }: { mood: Mood; moments: Moment[] }) {
  const names = Object.keys(mood.attributes);
  const start = moments[0]?.mood.at ?? 0;
  return (
    <section class="card" aria-label="Mood">
      <h2>Mood</h2>
      <p class="quiet-text">Relationship {mood.relationship.toFixed(2)}, from −1 to 1.</p>
      <LineChart
        title="Mood over time"
        xLabel="seconds since you looked first"
        xs={moments.map((moment) => moment.mood.at - start)}
        lines={names.map((name) => ({
          label: name,
          values: moments.map((moment) => moment.mood.attributes[name]?.value ?? null),
        }))}
        range={[0, 4]}
        stepped
      />
      <table>
        <thead>
          <tr>
            <th>attribute</th>
            <th>is</th>
            <th>because</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const { value, baseline, contributions } = mood.attributes[name] as Mood['attributes'][string];
            const parts = contributions.map(
              ({ source, event, remaining }) =>
                `${remaining < 0 ? '−' : '+'} ${Math.abs(remaining).toFixed(2)} ${event ?? source}`,
            );
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number strong">{value.toFixed(2)}</td>
                <td>{[baseline.toFixed(2), ...parts].join(' ')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
