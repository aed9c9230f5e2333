/** The classes of HTML elements that tokenising and nesting depend on (HTML standard §13.1.2, §13.2.4). */

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** Elements whose content holds no tags. */
export const RAW = set('script style title textarea xmp iframe noembed noframes noscript plaintext');

/** Elements without content. */
export const VOID = set('area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr');

/** Elements that belong into a head and show nothing wherever they stand. */
export const METADATA = set('base basefont bgsound link meta');

/** Elements that a misplaced end tag does not reach across. */
export const SPECIAL = set(
  'address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd details dir div ' +
    'dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe img input ' +
    'keygen li link listing main marquee menu meta nav noembed noframes noscript object ol p param plaintext pre script search section ' +
    'select source style summary table tbody td template textarea tfoot th thead title tr track ul wbr xmp',
);

/** Elements that an unclosed tag of theirs carries over into what follows. */
export const FORMATTING = set('a b big code em font i nobr s small strike strong tt u');

/** Block elements: they close an open paragraph, and their end tags close whatever was left open inside. */
export const BLOCK = set(
  'address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup main menu nav ol ' +
    'p pre listing search section summary ul',
);

export const HEADING = set('h1 h2 h3 h4 h5 h6');

/** Elements that only a table may hold. */
export const TABLE_PART = set('caption col colgroup tbody td tfoot th thead tr');

/** The elements that say where in a table one is. */
export const TABLE_PLACE = set('table caption tbody td tfoot th thead tr');

/** Open elements that take no content of their own but table parts: other content moves out, before the table. */
export const TABLE_FRAME = set('table tbody tfoot thead tr');

/** Elements whose end forgets the formatting that was left open inside. */
export const MARKER = set('applet caption marquee object td th');

/** Elements whose end tag closes nothing. */
export const WITHOUT_END = set('body html head col colgroup');

/** Elements whose end tag may be left out. */
export const IMPLIED_END = set('dd dt li optgroup option p rb rp rt rtc');

/** Elements that an end tag's search for its start tag does not cross. */
export const SCOPE = set('applet caption html table td th marquee object template');
export const LIST_SCOPE: ReadonlySet<string> = new Set([...SCOPE, 'ol', 'ul']);
export const BUTTON_SCOPE: ReadonlySet<string> = new Set([...SCOPE, 'button']);
export const TABLE_SCOPE = set('html table template');

/** Elements that end SVG and MathML when they occur within. */
export const FOREIGN_BREAKOUT = set(
  'b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre ruby s ' +
    'small span strong strike sub sup table tt u ul var',
);

/** Elements inside SVG and MathML that change how everything after them is read. */
export const FOREIGN_UNSURE = set(
  'annotation-xml desc foreignobject font iframe mi mn mo ms mtext noembed noframes noscript plaintext script select style template ' +
    'textarea title xmp',
);

/** Elements that begin a line of their own when shown: where text of two of them meets, words do not join. */
export const LINE: ReadonlySet<string> = new Set([
  ...BLOCK,
  ...HEADING,
  ...TABLE_PLACE,
  'br',
  'hr',
  'li',
  'dd',
  'dt',
  'form',
  'option',
  'body',
]);
