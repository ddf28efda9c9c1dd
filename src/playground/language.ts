// Imported before everything else: a browser may call its language what Intl refuses, such as `en-US@posix` under LC_ALL=C.UTF-8. uPlot asks Intl for that
// language while it is loaded, and the whole script would end there.

function isKnown(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length > 0;
  } catch {
    return false;
  }
}

// The pages speak English anyway.
if (!isKnown(navigator.language)) {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
  Object.defineProperty(navigator, 'languages', { value: ['en-US'], configurable: true });
}
