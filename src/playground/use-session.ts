// A session with a character as a page sees it: its log, its moods since the page was opened, the line being said, and everything that can be done.
import { useEffect, useState } from 'preact/hooks';
import type { NpcFeedbackResult, NpcLine, NpcLog, NpcMood, NpcSentence } from '../../openapi/schemas.d.ts';
import { events, get, post } from './api.ts';
import { useLoaded } from './frame.tsx';

/** Of the session at that path. */
export function useSession(path: string) {
  const log = useLoaded((signal) => get<NpcLog>(`${path}/log`, signal), [path]);
  const [moods, setMoods] = useState<NpcMood[]>([]);
  const [speaking, setSpeaking] = useState<string>();
  const [kept, setKept] = useState('');
  const [error, setError] = useState<unknown>();

  const see = async (found: Promise<NpcMood> = get<NpcMood>(`${path}/mood`)) => {
    const mood = await found;
    setMoods((known) => [...known, mood]);
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
  const look = () => attempt(see);
  useEffect(() => void look(), [path]);

  const say = (text: string) =>
    attempt(async () => {
      setSpeaking('');
      log.reload();
      try {
        for await (const said of events<NpcSentence | NpcLine>(`${path}/say`, { body: { text, stream: true, max_ms: 20_000 } })) {
          if (said.object === 'npc.sentence') setSpeaking((known) => `${known ?? ''}${said.text}`);
        }
      } finally {
        setSpeaking(undefined);
      }
      await see();
    });
  const tell = (type: string) => attempt(() => see(post<NpcMood>(`${path}/events`, { type })));
  const like = (thumb: 'up' | 'down') =>
    attempt(async () => {
      const { preferences } = await post<NpcFeedbackResult>(`${path}/feedback`, { thumb });
      setKept(`Kept. ${describeLikes(preferences)}`);
      await see();
    });
  const goBack = (to: number) =>
    attempt(async () => {
      await post(`${path}/rewind`, { to });
      setMoods((known) => known.filter(({ entries }) => entries <= to));
      await see();
    });
  return { log, moods, speaking, kept, error, say, tell, like, goBack, look };
}

function describeLikes(preferences: Record<string, number>): string {
  const liked = Object.entries(preferences).map(([name, offset]) => `${offset > 0 ? 'more' : 'less'} ${name}`);
  if (liked.length > 0) return `You like ${liked.join(', ')}.`;
  return 'It takes thumbs both up and down to know what you like.';
}
