/** Words that published lists of leaked passwords begin with: on their own, or with figures about them, they are what is guessed first. */

/** Folded: lower case, look-alike figures and signs as letters. */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `abc abcd access account admin  administrator amanda america andrea andrew angel angels apple arsenal asdf asdfgh asdfghjkl
  ashley august austin autumn babygirl badboy bailey banana barcelona baseball basketball batman beautiful benutzer biteme blink bonjour
  brandon buster butterfly campaign changeit changeme charlie cheese chelsea chocolate christmas cocacola company computer cookie corvette
  daniel december default demo diamond dolphin donald dragon einstein elephant eminem enter february ferrari flower football forever
  freedom friday fuckyou gandalf george ginger google guest hannah harley harrypotter heaven hello  helloworld hockey hottie
  hunter iloveyou ilovemylife ilovejesus internet iphone jackson january jasmine jennifer jessica jesus jordan joshua july june junior
  justin killer kitten lakers letmein letmeinnow liverpool login london lovely loveme lovers mailer manager manchester march maria master
  matrix matthew mercedes merlin metallica michael michelle microsoft midnight minecraft monday monkey mother motorola mustang mynoob naruto
  newpassword newyork nicole nintendo november october office operator orange pass passwd password passwort peanut pepper phoenix pokemon
  princess private purple qazwsx qazwsxedc qazwsxedcrfv qweasd qweasdzxc qwer qwert qwertz qwerty qwertyuiop rainbow ranger robert rockyou ronaldo root samantha samsung
  scooter secret secure september server service shadow slayer slipknot snoopy soccer sommer spiderman spring starwars student summer
  sunday sunshine superman superstar support sweety system tatiana temp temporary test tester testing thomas thunder tigger tinkerbell
  trustno truelove tweety unknown user vanilla victoria wachtwoord wasser welcome welcomehome whatever william willkommen winter wordpass
  yankees yellow zaq zaqxsw zxcvbn zxcvbnm`.split(/\s+/),
);
