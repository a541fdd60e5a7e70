/** Keeps secrets out of what leaves the process. Whatever lets text of others out goes through here: logs, errors, traces. */

const MASK = '***';

/** The password of a url's user part, wherever the url stands in a text: up to the last @ before the path. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"]*:)[^\s/"]+@/gi;
/** As a url's parameter, in a login module's line, or in a properties file. */
const ASSIGNED = /((?:password|passphrase|client_secret)=)(\\?["'])?[^\s&;"'\\]+\2/gi;
/** In a statement that an error quotes. */
const STATEMENT = /(\bpassword\s+)'(?:[^']|'')*'/gi;
/** Long enough to be none of the words of "Basic authentication". */
const HEADER = /\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{16,}/g;

export function withoutSecrets(text: string): string {
  return text
    .replace(URL_PASSWORD, `$1${MASK}@`)
    .replace(ASSIGNED, `$1$2${MASK}$2`)
    .replace(STATEMENT, `$1'${MASK}'`)
    .replace(HEADER, `$1 ${MASK}`);
}

/** A field of a JSON line whose name says that it is one, at whatever depth. */
const FIELD = /("[^"\\]*(?:password|passphrase|secret|token|authorization)":)"(?:[^"\\]|\\.)*"/gi;

/** A line of JSON, as loggers write it. */
export function maskedLine(line: string): string {
  return withoutSecrets(line.replace(FIELD, `$1"${MASK}"`));
}

const SECRET_PARAMETER = /password|passphrase|secret|token/i;

/** A url as it may be shown; what is none, not at all. */
export function maskedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null) return MASK;
  const secrets = [...url.searchParams.keys()].filter((name) => SECRET_PARAMETER.test(name));
  if (url.password === '' && secrets.length === 0) return text;
  if (url.password !== '') url.password = MASK;
  for (const name of secrets) url.searchParams.set(name, MASK);
  return url.href;
}
