// One reply as it is written: asked for, added to, broken off.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChatCompletionChunk, Steering } from '../../openapi/schemas.d.ts';
import { events } from './api.ts';
import { isAborted } from './frame.tsx';

export interface Reply {
  id?: string;
  text: string;
  steering?: Steering;
  tokens?: number;
  ms?: number;
}

/** The latest reply to a chat request, with the ways to ask for one and to stop it. */
export function useReply() {
  const [reply, setReply] = useState<Reply>();
  const [writing, setWriting] = useState(false);
  const [error, setError] = useState<unknown>();
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const write = async (request: object) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    const begun = performance.now();
    setError(undefined);
    setWriting(true);
    let written: Reply = { text: '' };
    setReply(written);
    try {
      const body = { ...request, stream: true, stream_options: { include_usage: true } };
      for await (const chunk of events<ChatCompletionChunk>('/v1/chat/completions', { body, signal: stop.signal })) {
        written = follow(written, chunk, performance.now() - begun);
        setReply(written);
      }
    } catch (failure) {
      if (!isAborted(failure)) setError(failure);
    } finally {
      if (running.current === stop) setWriting(false);
    }
  };
  return { reply, writing, error, write, stop: () => running.current?.abort() };
}

function follow(reply: Reply, { id, choices, usage }: ChatCompletionChunk, ms: number): Reply {
  const [choice] = choices;
  return {
    ...reply,
    id,
    text: reply.text + (choice?.delta.content ?? ''),
    ...(choice?.steering ? { steering: choice.steering } : {}),
    ...(usage ? { tokens: usage.completion_tokens, ms } : {}),
  };
}
