// One session: what was said, what happened, and the mood over time with everything it is made of.
import { useState } from 'preact/hooks';
import type { Npc, NpcLogEntry, NpcMood } from '../../openapi/schemas.d.ts';
import { decimals } from '../number-text.ts';
import { Awaited, Notice } from './frame.tsx';
import { LineChart } from './line-chart.tsx';
import { useSession } from './use-session.ts';

export function NpcTalk({ npc, sessionId }: { npc: Npc; sessionId: string }) {
  const [text, setText] = useState('');
  const { log, moods, speaking, kept, error, say, tell, like, goBack, look } = useSession(
    `/v1/npcs/${npc.id}/sessions/${sessionId}`,
  );
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    setText('');
    void say(text);
  };
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
        <form class="row grow" onSubmit={submit}>
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
          {[...new Set(npc.rules?.map(({ event }) => event))].map((type) => (
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
          <button type="button" onClick={look}>
            Look again
          </button>
        </fieldset>
        <p role="status" class="quiet-text">
          {kept}
        </p>
        <Notice error={error} />
      </section>
      {moods.length > 0 && <MoodView moods={moods} />}
    </div>
  );
}

function LogLine({ entry, onBack }: { entry: NpcLogEntry; onBack: () => void }) {
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

function MoodView({ moods }: { moods: NpcMood[] }) {
  const { attributes, relationship } = moods.at(-1) as NpcMood;
  const names = Object.keys(attributes);
  const start = moods[0]?.at ?? 0;
  return (
    <section class="card" aria-label="Mood">
      <h2>Mood</h2>
      <p class="quiet-text">Relationship {decimals(relationship, 2)}, from −1 to 1.</p>
      <LineChart
        title="Mood over time"
        xLabel="seconds since you looked first"
        xs={moods.map(({ at }) => at - start)}
        lines={names.map((name) => ({ label: name, values: moods.map((mood) => mood.attributes[name]?.value ?? null) }))}
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
          {Object.entries(attributes).map(([name, { value, baseline, contributions }]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number strong">{decimals(value, 2)}</td>
              <td>{[decimals(baseline, 2), ...contributions.map(signed)].join(' ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function signed({ source, event, remaining }: NpcMood['attributes'][string]['contributions'][number]): string {
  const size = decimals(remaining, 2);
  return `${size.startsWith('−') ? size.replace('−', '− ') : `+ ${size}`} ${event ?? source}`;
}
