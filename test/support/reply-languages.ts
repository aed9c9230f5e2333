/** How mail programs speak in twelve languages: attributions, header labels, signatures. Written for the tests. */

export const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'pt', 'sv', 'da', 'fi', 'nb'] as const;
export type UiLanguage = (typeof LANGUAGES)[number];

/** Who wrote what is quoted, and when. */
export interface Quoted {
  readonly name: string;
  readonly address: string;
  readonly date: Date;
}

interface Words {
  /** Attributions of Gmail, Apple Mail, Thunderbird, and of web mailers that spell the day out (Yahoo, Proton Mail). */
  readonly gmail: string;
  readonly apple: string;
  readonly thunderbird: string;
  readonly web: string;
  /** Outlook's From, Sent, To and Subject. */
  readonly labels: readonly [string, string, string, string];
  readonly original: string;
  readonly wrote: string;
  readonly iphone: string;
  readonly outlook: string;
  readonly samsung: string;
}

// {short}: weekday, day, month and year in short; {day}: without the weekday; {number}: in figures; {long}: spelt out; {time}, {name}, {address}.
const WORDS: Record<UiLanguage, Words> = {
  en: {
    gmail: 'On {short} at {time} {name} <{address}> wrote:',
    apple: 'On {day}, at {time}, {name} <{address}> wrote:',
    thunderbird: 'On {number} {time}, {name} wrote:',
    web: 'On {long} at {time}, {name} <{address}> wrote:',
    labels: ['From', 'Sent', 'To', 'Subject'],
    original: 'Original Message',
    wrote: 'wrote',
    iphone: 'Sent from my iPhone',
    outlook: 'Get Outlook for iOS',
    samsung: 'Sent from my Galaxy',
  },
  de: {
    gmail: 'Am {short} um {time} Uhr schrieb {name} <{address}>:',
    apple: 'Am {number} um {time} schrieb {name} <{address}>:',
    thunderbird: 'Am {number} um {time} schrieb {name}:',
    web: 'Am {long} um {time} hat {name} <{address}> geschrieben:',
    labels: ['Von', 'Gesendet', 'An', 'Betreff'],
    original: 'Ursprüngliche Nachricht',
    wrote: 'schrieb',
    iphone: 'Von meinem iPhone gesendet',
    outlook: 'Outlook für iOS beziehen',
    samsung: 'Von meinem Galaxy gesendet',
  },
  fr: {
    gmail: 'Le {short} à {time}, {name} <{address}> a écrit :',
    apple: 'Le {day} à {time}, {name} <{address}> a écrit :',
    thunderbird: 'Le {number} à {time}, {name} a écrit :',
    web: 'Le {long} à {time}, {name} <{address}> a écrit :',
    labels: ['De', 'Envoyé', 'À', 'Objet'],
    original: "Message d'origine",
    wrote: 'a écrit',
    iphone: 'Envoyé de mon iPhone',
    outlook: 'Télécharger Outlook pour iOS',
    samsung: 'Envoyé depuis mon appareil Galaxy',
  },
  es: {
    gmail: 'El {short} a las {time}, {name} (<{address}>) escribió:',
    apple: 'El {day}, a las {time}, {name} <{address}> escribió:',
    thunderbird: 'El {number} a las {time}, {name} escribió:',
    web: 'El {long}, {time}, {name} <{address}> escribió:',
    labels: ['De', 'Enviado', 'Para', 'Asunto'],
    original: 'Mensaje original',
    wrote: 'escribió',
    iphone: 'Enviado desde mi iPhone',
    outlook: 'Obtener Outlook para iOS',
    samsung: 'Enviado desde mi Galaxy',
  },
  it: {
    gmail: 'Il giorno {short} alle ore {time} {name} <{address}> ha scritto:',
    apple: 'Il giorno {day}, alle ore {time}, {name} <{address}> ha scritto:',
    thunderbird: 'Il {number} {time}, {name} ha scritto:',
    web: 'Il {long} alle ore {time}, {name} <{address}> ha scritto:',
    labels: ['Da', 'Inviato', 'A', 'Oggetto'],
    original: 'Messaggio originale',
    wrote: 'ha scritto',
    iphone: 'Inviato da iPhone',
    outlook: 'Ottieni Outlook per iOS',
    samsung: 'Inviato dal mio Galaxy',
  },
  nl: {
    gmail: 'Op {short} om {time} schreef {name} <{address}>:',
    apple: 'Op {day}, om {time} heeft {name} <{address}> het volgende geschreven:',
    thunderbird: 'Op {number} om {time} schreef {name}:',
    web: 'Op {long} om {time} schreef {name} <{address}>:',
    labels: ['Van', 'Verzonden', 'Aan', 'Onderwerp'],
    original: 'Oorspronkelijk bericht',
    wrote: 'schreef',
    iphone: 'Verstuurd vanaf mijn iPhone',
    outlook: 'Outlook voor iOS downloaden',
    samsung: 'Verzonden vanaf mijn Galaxy',
  },
  pl: {
    gmail: '{short} o {time} {name} <{address}> napisał(a):',
    apple: 'Wiadomość napisana przez {name} <{address}> w dniu {day}, o godz. {time}:',
    thunderbird: 'W dniu {number} o {time}, {name} pisze:',
    web: 'W dniu {long} {time} {name} <{address}> napisał(-a):',
    labels: ['Od', 'Wysłano', 'Do', 'Temat'],
    original: 'Wiadomość oryginalna',
    wrote: 'napisał(a)',
    iphone: 'Wysłane z iPhone’a',
    outlook: 'Pobierz program Outlook dla systemu iOS',
    samsung: 'Wysłano z mojego Galaxy',
  },
  pt: {
    gmail: 'Em {short} às {time}, {name} <{address}> escreveu:',
    apple: 'No dia {day}, às {time}, {name} <{address}> escreveu:',
    thunderbird: 'Em {number} {time}, {name} escreveu:',
    web: 'Em {long} às {time}, {name} <{address}> escreveu:',
    labels: ['De', 'Enviado', 'Para', 'Assunto'],
    original: 'Mensagem original',
    wrote: 'escreveu',
    iphone: 'Enviado do meu iPhone',
    outlook: 'Obter o Outlook para iOS',
    samsung: 'Enviado do meu Galaxy',
  },
  sv: {
    gmail: 'Den {short} kl {time} skrev {name} <{address}>:',
    apple: '{day} kl. {time} skrev {name} <{address}>:',
    thunderbird: 'Den {number} kl. {time}, skrev {name}:',
    web: 'Den {long} kl. {time}, {name} <{address}> skrev:',
    labels: ['Från', 'Skickat', 'Till', 'Ämne'],
    original: 'Ursprungligt meddelande',
    wrote: 'skrev',
    iphone: 'Skickat från min iPhone',
    outlook: 'Hämta Outlook för iOS',
    samsung: 'Skickat från min Galaxy',
  },
  da: {
    gmail: 'Den {short} kl. {time} skrev {name} <{address}>:',
    apple: 'Den {day} kl. {time} skrev {name} <{address}>:',
    thunderbird: 'Den {number} kl. {time} skrev {name}:',
    web: 'Den {long} kl. {time}, {name} <{address}> skrev:',
    labels: ['Fra', 'Sendt', 'Til', 'Emne'],
    original: 'Oprindelig meddelelse',
    wrote: 'skrev',
    iphone: 'Sendt fra min iPhone',
    outlook: 'Hent Outlook til iOS',
    samsung: 'Sendt fra min Galaxy',
  },
  fi: {
    gmail: '{short} klo {time} {name} ({address}) kirjoitti:',
    apple: '{name} <{address}> kirjoitti {number} kello {time}:',
    thunderbird: '{name} kirjoitti {number} klo {time}:',
    web: '{long} klo {time}, {name} <{address}> kirjoitti:',
    labels: ['Lähettäjä', 'Lähetetty', 'Vastaanottaja', 'Aihe'],
    original: 'Alkuperäinen viesti',
    wrote: 'kirjoitti',
    iphone: 'Lähetetty iPhonesta',
    outlook: 'Hanki Outlook iOS:lle',
    samsung: 'Lähetetty Galaxy-laitteestani',
  },
  nb: {
    gmail: '{short} kl. {time} skrev {name} <{address}>:',
    apple: '{day} kl. {time} skrev {name} <{address}>:',
    thunderbird: 'Den {number} {time}, skrev {name}:',
    web: '{long} kl. {time} skrev {name} <{address}>:',
    labels: ['Fra', 'Sendt', 'Til', 'Emne'],
    original: 'Opprinnelig melding',
    wrote: 'skrev',
    iphone: 'Sendt fra min iPhone',
    outlook: 'Få Outlook for iOS',
    samsung: 'Sendt fra min Galaxy',
  },
};

export function wordsOf(language: UiLanguage): Words {
  return WORDS[language];
}

/** One of the attributions, filled in. */
export function attribution(language: UiLanguage, by: 'gmail' | 'apple' | 'thunderbird' | 'web', quoted: Quoted): string {
  const format = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { ...options, timeZone: 'UTC' }).format(quoted.date);
  const day = { day: 'numeric', month: 'short', year: 'numeric' } as const;
  const filled: Record<string, string> = {
    short: format({ ...day, weekday: 'short' }),
    day: format(day),
    number: format({ day: '2-digit', month: '2-digit', year: 'numeric' }),
    long: format({ day: 'numeric', month: 'long', year: 'numeric', weekday: 'long' }),
    time: format({ hour: '2-digit', minute: '2-digit' }),
    name: quoted.name,
    address: quoted.address,
  };
  return WORDS[language][by].replace(/\{(\w+)\}/g, (_, name: string) => filled[name] ?? '');
}

/** Outlook's date. */
export function sentDate(language: UiLanguage, date: Date): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'short', timeZone: 'UTC' }).format(date);
}
