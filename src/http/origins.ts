// Refuses what web pages of elsewhere ask. Any page a person visits can send requests to this server, and a page whose name is made to resolve to
// this machine can read the replies as well; browsers tell of both, in Host and Origin. Programs send no Origin and are not concerned.
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { type Config, hostName, isLoopback } from '../config.ts';
import { SteerError } from '../errors.ts';
import { playersMethods } from './access.ts';
import type { AppEnv, RequestContext } from './app-context.ts';
import { mediaType } from './uploads.ts';

/** How long a browser need not ask again, seconds. */
const preflightLifeS = 600;

/** Types a form may have, which browsers send to other origins without asking first. */
const simpleTypes = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'];

/**
 * Middleware that throws `forbidden` for a Host or an Origin that is not allowed, and `unsupported_media_type` for a page's change in the content
 * type of a form. Pages of ALLOWED_ORIGINS get CORS headers where a player's token may go. Health checks tell nothing and are open: probes name
 * whatever address they find the process at.
 */
export function refuseForeign({ apiKey, allowedHosts, allowedOrigins }: Config): MiddlewareHandler<AppEnv> {
  const checksHost = apiKey === undefined || allowedHosts.length > 0;
  const share = cors({
    origin: (origin) => origin,
    allowMethods: (_, c) => playersMethods(c.req.path),
    allowHeaders: ['authorization', 'content-type', 'x-request-id'],
    exposeHeaders: ['x-request-id', 'retry-after'],
    maxAge: preflightLifeS,
  });
  return async (c, next) => {
    if (c.req.path.startsWith('/health/')) return await next();
    if (checksHost) for (const host of hostsOf(c)) refuseHost(host, allowedHosts);
    const origin = c.req.header('origin');
    if (origin === undefined) return await next();
    const own = isOwn(origin, c);
    if (!own && !isListed(origin, allowedOrigins)) throw foreignOrigin(origin);
    refuseForms(c);
    if (own) return await next();
    const asked = c.req.header('access-control-request-method');
    const preflight = c.req.method === 'OPTIONS' && asked !== undefined;
    const methods = playersMethods(c.req.path);
    // What a browser sends without asking first, and no form: a change without a body.
    const unasked = c.req.method === 'POST' && mediaType(c.req.header('content-type')) === '';
    if (preflight ? !methods.includes(asked) : unasked && !methods.includes('POST')) {
      throw new SteerError(
        'forbidden',
        'From a page of another origin only those routes can be asked that the token of a player opens.',
      );
    }
    return methods.length > 0 ? await share(c, next) : await next();
  };
}

/** The hosts a request names: in its header, and in its address, which proxies write out in full. */
function hostsOf({ req }: RequestContext): string[] {
  return [new URL(req.url).host, req.header('host') ?? []].flat();
}

function refuseHost(host: string, allowed: readonly string[]): void {
  const name = hostName(host);
  if (name !== undefined && (isLoopback(name) || allowed.includes(name))) return;
  throw new SteerError(
    'forbidden',
    `Host: expected localhost or a name listed in ALLOWED_HOSTS, found ${JSON.stringify(host.slice(0, 64))}. ` +
      'Ask for the server by such a name, or add this one to ALLOWED_HOSTS.',
    { details: { param: 'Host' } },
  );
}

/** Whether the page came from this server: by the same name and port. Its scheme may differ where a proxy ends TLS. */
function isOwn(origin: string, c: RequestContext): boolean {
  const [, scheme, host] = /^(https?):\/\/([^/]+)$/i.exec(origin) ?? [];
  const asked = c.req.header('host') ?? new URL(c.req.url).host;
  const from = addressOf(`${scheme}://${host}`);
  return from !== undefined && from === addressOf(`${scheme}://${asked}`);
}

/** Name and port in one spelling, the usual port of the scheme left out. */
function addressOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { host, port } = new URL(url);
  return `${hostName(host)}:${port}`;
}

function isListed(origin: string, allowed: readonly string[]): boolean {
  return allowed.includes(origin) || allowed.includes(origin.replace(/(:\d+)?$/, ':*'));
}

function foreignOrigin(origin: string): SteerError {
  return new SteerError(
    'forbidden',
    `Origin: pages of ${JSON.stringify(origin.slice(0, 128))} may not ask this server. List the origin in ALLOWED_ORIGINS if they should.`,
    { details: { param: 'Origin' } },
  );
}

/** A browser that says the page is the server's own may send a form: no page can make it say so. */
function refuseForms({ req }: RequestContext): void {
  if (['GET', 'HEAD', 'OPTIONS'].includes(req.method) || req.header('sec-fetch-site') === 'same-origin') return;
  const type = mediaType(req.header('content-type'));
  if (!simpleTypes.includes(type)) return;
  throw new SteerError(
    'unsupported_media_type',
    `Content-Type: a page may not send ${type}, which needs no permission of a browser. Send application/json, or ask from a program.`,
  );
}
