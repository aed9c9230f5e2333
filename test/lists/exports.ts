/** Exports of other platforms as they come, written for tests; every address is an example. `expected`: target → reason. */

export interface Sample {
  readonly name: string;
  readonly text: string;
  readonly expected: Readonly<Record<string, string>>;
}

export const SAMPLES: readonly Sample[] = [
  {
    name: 'one address a line',
    text: 'jo@one.example\n\n  sam@two.example  \n<lee@three.example>\n# a remark, with commas\nmailto:kim@four.example\n',
    expected: { 'jo@one.example': 'import', 'sam@two.example': 'import', 'lee@three.example': 'import', 'kim@four.example': 'import' },
  },
  {
    name: 'addresses and domains together',
    text: 'jo@one.example\r\ntwo.example\r\n@three.example\r\n*.four.example\r\n*@five.example\r\n',
    expected: {
      'jo@one.example': 'import',
      'two.example': 'import',
      'three.example': 'import',
      'four.example': 'import',
      'five.example': 'import',
    },
  },
  {
    name: 'Mailgun, unsubscribes',
    text: 'address,tags,created_at\njo@one.example,"[""*""]","Thu, 01 Feb 2024 10:00:00 UTC"\n',
    expected: { 'jo@one.example': 'opt-out' },
  },
  {
    name: 'Mailgun, bounces',
    text: 'address,code,error,created_at\njo@one.example,550,"550 5.1.1 The account, as given, does not exist","Thu, 01 Feb 2024 10:00:00 UTC"\n',
    expected: { 'jo@one.example': 'bounce' },
  },
  {
    name: 'SES, account-level list',
    text: 'Email address,Reason,Last update time\njo@one.example,BOUNCE,2024-02-01T10:00:00Z\nsam@two.example,COMPLAINT,2024-02-01T10:00:00Z\n',
    expected: { 'jo@one.example': 'bounce', 'sam@two.example': 'complaint' },
  },
  {
    name: 'SES, as it takes lists: without a header',
    text: 'jo@one.example,BOUNCE\nsam@two.example,COMPLAINT\n',
    expected: { 'jo@one.example': 'bounce', 'sam@two.example': 'complaint' },
  },
  { name: 'SendGrid, global unsubscribes', text: 'email,created\njo@one.example,1706781600\n', expected: { 'jo@one.example': 'import' } },
  {
    name: 'SendGrid, bounces',
    text: 'status,reason,email,created\n5.1.1,"550 5.1.1 no such user, sorry",jo@one.example,1706781600\n',
    expected: { 'jo@one.example': 'bounce' },
  },
  {
    name: 'SendGrid, spam reports',
    text: 'email,ip,created\njo@one.example,192.0.2.1,1706781600\n',
    expected: { 'jo@one.example': 'complaint' },
  },
  {
    name: 'Postmark, suppressions',
    text: [
      '"EmailAddress","SuppressionReason","Origin","CreatedAt"',
      '"jo@one.example","HardBounce","Recipient","2024-02-01T10:00:00-05:00"',
      '"sam@two.example","SpamComplaint","Recipient","2024-02-01T10:00:00-05:00"',
      '"lee@three.example","ManualSuppression","Recipient","2024-02-01T10:00:00-05:00"',
      '"kim@four.example","ManualSuppression","Customer","2024-02-01T10:00:00-05:00"',
      '',
    ].join('\r\n'),
    expected: { 'jo@one.example': 'bounce', 'sam@two.example': 'complaint', 'lee@three.example': 'opt-out', 'kim@four.example': 'manual' },
  },
  {
    name: 'OPTIZMO, addresses',
    text: 'jo@one.example\r\nSAM@TWO.EXAMPLE\r\n',
    expected: { 'jo@one.example': 'import', 'sam@two.example': 'import' },
  },
  { name: 'OPTIZMO, domains', text: 'Domain\none.example\ntwo.example\n', expected: { 'one.example': 'import', 'two.example': 'import' } },
  {
    name: 'a CRM’s, with semicolons and names in front',
    text: 'Id;Name;E-Mail-Adresse;Reason\n1;"Roe; Jo";Jo.Roe+crm@One.example;unsubscribed\n2;Sam;sam@two.example;customer\n',
    expected: { 'jo.roe@one.example': 'opt-out', 'sam@two.example': 'import' },
  },
  {
    name: 'tabs, no header',
    text: 'Jo\tjo@one.example\nSam\tsam@two.example\n',
    expected: { 'jo@one.example': 'import', 'sam@two.example': 'import' },
  },
  {
    name: 'names with addresses',
    text: 'Roe Jo <jo@one.example>\n"Sam" <sam@two.example>\n',
    expected: { 'jo@one.example': 'import', 'sam@two.example': 'import' },
  },
  {
    name: 'IDN',
    text: 'jo@bücher.example\nMÜLLER.example\nxn--bcher-kva.example\njörg@two.example\n',
    expected: {
      'jo@xn--bcher-kva.example': 'import',
      'xn--mller-kva.example': 'import',
      'xn--bcher-kva.example': 'import',
      'jörg@two.example': 'import',
    },
  },
];
