// What every page is framed by: failures in the server's words, the key, light and dark, and loading.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { storedKey, storeKey } from './api.ts';

export function Notice({ error }: { error: unknown }) {
  if (error === undefined) return null;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <p class="notice" role="alert">
      {message}
    </p>
  );
}

/** Asks for the key of a server that has one. It stays in this tab. */
export function AccessDialog({ onKey }: { onKey: () => void }) {
  const [key, setKey] = useState(storedKey());
  const submit = (event: Event) => {
    event.preventDefault();
    storeKey(key.trim());
    onKey();
  };
  return (
    <form class="card narrow" onSubmit={submit}>
      <label>
        Key of this server
        <input type="password" autocomplete="off" value={key} onInput={(event) => setKey(event.currentTarget.value)} />
      </label>
      <button type="submit">Try again</button>
    </form>
  );
}

const themes = ['system', 'light', 'dark'] as const;

export function ThemeSwitch() {
  const [theme, setTheme] = useState(localStorage.getItem('steer-theme') ?? 'system');
  useEffect(() => {
    localStorage.setItem('steer-theme', theme);
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return (
    <label class="theme">
      <span class="quiet">Colours</span>
      <select value={theme} onChange={(event) => setTheme(event.currentTarget.value)}>
        {themes.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

export interface Loaded<T> {
  value: T | undefined;
  error: unknown;
  reload: () => void;
}

/** What `load` answers, loaded again whenever one of `keys` changes. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value?: T; error?: unknown }>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    load(stop.signal).then(
      (value) => setState({ value }),
      (error) => {
        if (!stop.signal.aborted) setState((known) => ({ ...known, error }));
      },
    );
    return () => stop.abort();
  }, [...keys, round]);
  return { value: state.value, error: state.error, reload: () => setRound((count) => count + 1) };
}

/** The content once it is there, until then a word, or the failure. */
export function Awaited<T>({ loaded, children }: { loaded: Loaded<T>; children: (value: T) => ComponentChildren }) {
  const { value, error } = loaded;
  return (
    <>
      <Notice error={error} />
      {value === undefined ? error === undefined && <p class="quiet-text">Loading …</p> : children(value)}
    </>
  );
}

/** Lists that are empty say what would fill them. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** The pages speak English, so their dates do. */
const moments = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

export function when(seconds: number): string {
  return moments.format(1000 * seconds);
}

/** A part that is shown when asked for. */
export function Disclosure({ title, children }: { title: string; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <section class="card" aria-label={title}>
      <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? '− ' : '+ '}
        {title}
      </button>
      {open && children}
    </section>
  );
}

/** What may be wider than the page: scrolled by itself, by keys as well. */
export function Wide({ children }: { children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a mouse
    <section class="wide" aria-label="Table" tabIndex={0}>
      {children}
    </section>
  );
}
