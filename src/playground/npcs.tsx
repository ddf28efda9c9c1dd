// Characters: talk to one, let things happen to it, and see its mood move.
import { useState } from 'preact/hooks';
import type { Npc, NpcList, NpcSession, NpcSessionList } from '../../openapi/schemas.d.ts';
import { counted, decimals } from '../number-text.ts';
import { get, post, upload } from './api.ts';
import { Awaited, Empty, Notice, useLoaded, when } from './frame.tsx';
import { NpcTalk } from './npc-talk.tsx';

/** Made at a press of a button where there is none yet. */
const example = {
  id: 'marta',
  name: 'Marta',
  persona: 'You are Marta, an innkeeper at the Gilded Goose in Fallowmere. Mood: cheerful.',
  greeting: 'Sit down, {{user}}, the fire is warm.',
  attributes: { helpfulness: 3, humor: 2, verbosity: 2, formality: 1 },
  caps: { toxicity: 2 },
  relationship: { helpfulness: 1, humor: 1, toxicity: -1 },
  rules: [
    {
      event: 'player.insulted',
      changes: { toxicity: 2, humor: -2, helpfulness: -2 },
      half_life_s: 60,
      clamp: 3,
      relationship: -0.3,
      note: '{{user}} insulted you.',
    },
    { event: 'player.apologised', changes: { toxicity: -1, helpfulness: 1 }, half_life_s: 60, relationship: 0.1 },
    { event: 'player.paid', changes: { helpfulness: 1, humor: 1 }, half_life_s: 120, clamp: 2, relationship: 0.2 },
  ],
  fallback: '{{char}} nods.',
};

export function NpcsPage({ rest }: { rest: string }) {
  const [npcId = '', sessionId = ''] = rest.split('/');
  const [error, setError] = useState<unknown>();
  const loaded = useLoaded((signal) => get<NpcList>('/v1/npcs?limit=100', signal), []);
  const add = async (making: Promise<Npc>) => {
    try {
      const { id } = await making;
      setError(undefined);
      loaded.reload();
      location.hash = `npcs/${id}`;
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Awaited loaded={loaded}>
      {({ data }) => (
        <>
          <CardInput onCard={(file) => add(upload<Npc>('/v1/npcs/import', file))} />
          <Notice error={error} />
          {data.length === 0 ? (
            <Empty>
              No character yet. <code>POST /v1/npcs</code> makes one, a character card becomes one.{' '}
              <button type="button" onClick={() => add(post<Npc>('/v1/npcs', example))}>
                Make Marta
              </button>
            </Empty>
          ) : (
            <div class="master">
              <nav class="list" aria-label="Characters">
                {data.map((npc) => (
                  <a key={npc.id} href={`#npcs/${npc.id}`} aria-current={npc.id === npcId ? 'true' : undefined}>
                    <strong>{npc.name}</strong>
                    {data.some(({ id, name }) => id !== npc.id && name === npc.name) && (
                      <small>
                        {npc.id}, {when(npc.created_at)}
                      </small>
                    )}
                    <small>{personaOf(npc)}</small>
                  </a>
                ))}
              </nav>
              <Chosen npc={data.find(({ id }) => id === npcId)} sessionId={sessionId} />
            </div>
          )}
        </>
      )}
    </Awaited>
  );
}

/** With the name in the place of its macro. */
function personaOf({ name, persona }: Npc): string {
  return persona.replaceAll(/\{\{\s*char\s*\}\}|<BOT>/gi, () => name);
}

/** Takes a character card, JSON or a picture. */
function CardInput({ onCard }: { onCard: (file: File) => void }) {
  return (
    <label class="inline card">
      Import a character card (JSON or PNG)
      <input
        type="file"
        accept=".json,.png,application/json,image/png"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file) onCard(file);
        }}
      />
    </label>
  );
}

function Chosen({ npc, sessionId }: { npc: Npc | undefined; sessionId: string }) {
  if (!npc) return <Empty>Choose a character.</Empty>;
  if (sessionId !== '') return <NpcTalk key={sessionId} npc={npc} sessionId={sessionId} />;
  return <Sessions key={npc.id} npc={npc} />;
}

function Sessions({ npc }: { npc: Npc }) {
  const [player, setPlayer] = useState('Wanderer');
  const [error, setError] = useState<unknown>();
  const path = `/v1/npcs/${npc.id}/sessions`;
  const loaded = useLoaded((signal) => get<NpcSessionList>(`${path}?limit=20`, signal), [npc.id]);
  const begin = async (event: Event) => {
    event.preventDefault();
    try {
      const body = { player_id: player.trim().replaceAll(/[^\w.-]/g, '_'), player_name: player.trim() };
      location.hash = `npcs/${npc.id}/${(await post<NpcSession>(path, body)).id}`;
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <section class="card" aria-label="Sessions">
      <h2>{npc.name}</h2>
      <p>{personaOf(npc)}</p>
      <form class="row" onSubmit={begin}>
        <label class="inline">
          Meet {npc.name} as
          <input value={player} onInput={(event) => setPlayer(event.currentTarget.value)} />
        </label>
        <button type="submit" class="main">
          Begin
        </button>
      </form>
      <Notice error={error} />
      <Awaited loaded={loaded}>
        {({ data }) => (
          <ul class="plain">
            {data.map(({ id, player_name, entries, relationship }) => (
              <li key={id}>
                <a href={`#npcs/${npc.id}/${id}`}>{player_name}</a>{' '}
                <small>
                  {counted(entries, 'entry')}, relationship {decimals(relationship, 2)}
                </small>
              </li>
            ))}
          </ul>
        )}
      </Awaited>
    </section>
  );
}
