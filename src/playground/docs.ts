// The API reference: the server's own document, shown by Swagger UI, with the key of this tab.
import { storedKey } from './api.ts';

declare const SwaggerUIBundle: (options: object) => unknown;

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request: { headers: Record<string, string> }) => {
    const key = storedKey();
    if (key !== '') request.headers.authorization ??= `Bearer ${key}`;
    return request;
  },
});
