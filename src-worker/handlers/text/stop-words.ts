/**
 * Words that carry no subject: articles, pronouns, prepositions, conjunctions, auxiliaries. They say nothing about
 * what a text is about, so keywords and summaries look past them. Lower case, with their accents.
 */
const LISTS: Readonly<Record<string, string>> = {
  en: `a about above across after again against ago all almost along already also although always am among an and another any anyone
    anything are aren't around as at away back be became because become becomes been before behind being below between both but by came
    can can't cannot come could couldn't did didn't do does doesn't doing don't done down during each either else enough even ever every
    everyone everything few first for from further gave get gets getting give given go goes going gone got had hadn't has hasn't have
    haven't having he he'd he'll he's her here hers herself him himself his how however i i'd i'll i'm i've if in instead into is isn't it
    it's its itself just keep kept know known last least less let let's like likely long made make makes making many may maybe me might
    mine more most much must my myself near need needs neither never next no none nor not nothing now of off often oh ok on once one only
    onto or other others otherwise our ours ourselves out over own per perhaps put quite rather really said same saw say says second see
    seem seemed seems seen several shall she she'd she'll she's should shouldn't since so some someone something sometimes soon still such
    take taken takes tell than that that's the their theirs them themselves then there there's therefore these they they'd they'll they're
    they've thing things this those though three through thus to today together too took toward towards two under until up upon us use
    used uses using usually very via want was wasn't way we we'd we'll we're we've well went were weren't what what's whatever when where
    whether which while who who's whole whom whose why will with within without won't would wouldn't yes yet you you'd you'll you're
    you've your yours yourself yourselves`,
  de: `aber alle allem allen aller alles als also am an andere anderem anderen anderer anderes auch auf aus außer bei beide beiden beim
    bereits besonders bin bis bisher bist da dabei dadurch dafür dagegen daher damit danach daneben dann daran darauf daraus darin darüber
    darum das dass davon davor dazu dein deine deinem deinen deiner dem den denen denn dennoch der deren derer des deshalb dessen desto
    dich die dies diese dieselbe diesem diesen dieser dieses dir doch dort du durch eben ebenfalls ebenso ein eine einem einen einer eines
    einfach einige einigen einiger einiges einmal er erst es etwa etwas euch euer eure eurem euren für ganz gar gegen gehen geht gerade
    gern gibt ging hab habe haben hat hatte hatten hätte hätten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im immer
    in indem innerhalb ins ist ja je jede jedem jeden jeder jedes jedoch jemand jene jenem jenen jener jenes jetzt kann kannst kein keine
    keinem keinen keiner können könnte könnten lassen lässt machen macht man manche manchem manchen mancher mehr mein meine meinem meinen
    meiner meist mich mir mit möchte muss müssen musste mussten nach nachdem nämlich neben nein nicht nichts noch nun nur ob oben oder
    ohne per schon sehr sei seien sein seine seinem seinen seiner seines seit selbst sich sie sind so sogar solche solchem solchen solcher
    soll sollen sollte sollten somit sondern sonst soweit sowie sowohl statt teil über um und uns unser unsere unserem unseren unserer
    unter viel viele vielen vieler vom von vor während wann war waren warum was wegen weil weiter weitere weiteren welche welchem welchen
    welcher welches wenig wenige wenn wer werde werden wie wieder will wir wird wirst wo wobei wodurch wohl wollen wollte wollten worden
    wurde wurden würde würden zu zum zur zusammen zwar zwei zwischen`,
  fr: `à afin ai ailleurs ainsi ait alors après as assez au aucun aucune aujourd'hui auquel aura aurait aussi autant autre autres aux auxquels
    avaient avais avait avant avec avez avoir avons ayant beaucoup bien bon c c'est car ce ceci cela celle celles celui cependant certain
    certaine certaines certains ces cet cette ceux chaque chez ci comme comment contre d dans de depuis derrière des dès désormais deux
    devant doit doivent donc dont du durant elle elles en encore enfin entre est et était étaient étant été être eu eux fait faire faut fois
    font hors ici il ils j jamais je jusqu jusque l la là laquelle le lequel les lesquels leur leurs lors lorsque lui m ma mais malgré me
    même mêmes mes mieux moi moins mon n ne ni non nos notamment notre nous on ont or ou où par parce parfois parmi pas pendant personne
    peu peut peuvent plus plusieurs plutôt pour pourquoi pourrait pourtant près presque pu puis puisque qu quand quant que quel quelle
    quelles quelque quelques quels qui quoi rien s sa sans sauf se selon sera serait ses seulement si sien soi soient soit son sont sous
    souvent sur t ta tandis tant tel telle telles tels tes toi ton toujours tous tout toute toutes très trop tu un une va vers voici voilà
    vont vos votre vous vraiment y`,
  es: `a acá ahí al algo alguien algún alguna algunas alguno algunos allá allí ambos ante antes aquel aquella aquellas aquellos aquí así aún
    aunque bajo bastante bien cada casi como cómo con contra cual cuál cuales cualquier cuando cuándo cuanto de debe deben debido del
    demás dentro desde después dice dicen donde dónde dos durante e él el ella ellas ello ellos embargo en entonces entre era eran eras
    eres es esa esas ese eso esos está esta están estar estas este esto estos estoy fin fue fuera fueron fui ha había habían haber hace
    hacen hacer hacia han hasta hay haya he hemos hizo hoy incluso junto la las le les lo los luego más me mediante menos mi mí mientras
    mis misma mismas mismo mismos mucha muchas mucho muchos muy nada nadie ni ningún ninguna ninguno no nos nosotros nuestra nuestras
    nuestro nuestros nunca o os otra otras otro otros para parece parte pero poca pocas poco pocos podría por porque pues puede pueden
    pues que qué quien quién quienes se sea sean según ser será si sí sido siempre siendo sin sino sobre sólo solo somos son soy su sus
    suya suyo tal también tampoco tan tanto te tendrá tener tenía ti tiene tienen toda todas todavía todo todos tras tu tú tus tuvo u un
    una unas uno unos usted ustedes va van varias varios veces ver vez vosotros ya yo`,
  it: `a abbiamo ad adesso agli ai al alcuna alcune alcuni alcuno all alla alle allo allora altra altre altri altro anche ancora anzi appena
    aveva avevano avere ben bene c che chi ci ciascuno ciò cioè circa col come comunque con contro cosa cosi così cui d da dagli dai dal
    dall dalla dalle dallo degli dei del dell della delle dello dentro di dice dopo dove dovrebbe due dunque durante e è ecco ed egli ella
    era erano essa esse essere essi esso fa fare fatto fin fino forse fra fu furono già gli ha hai hanno ho i il in infatti inoltre invece
    io l la là le lei li lo loro lui ma me meno mentre mi mia mie miei mio molta molte molti molto ne né negli nei nel nell nella nelle
    nello nemmeno nessun nessuna nessuno niente noi non nostra nostre nostri nostro nulla o od ogni oggi oltre ora ossia ovvero per perché
    perciò però più piuttosto po poco poi può possono presso prima proprio pur pure qua qual qualche quale quali qualcosa qualcuno quando
    quanta quante quanti quanto quasi quel quell quella quelle quelli quello questa queste questi questo qui quindi sarà sarebbe se sé
    secondo sei sempre senza sia siamo sino solo sono sopra soprattutto sotto sta stata state stati stato stesso su sua sue sugli sui sul
    sull sulla sulle suo suoi tale tali tanta tanto te ti tra troppo tu tua tue tuo tuoi tutta tuttavia tutte tutti tutto un una uno vi via
    viene voi vostra vostro`,
  pt: `a à ainda além algo alguém algum alguma algumas alguns ali ao aos apenas após aquela aquelas aquele aqueles aquilo as às assim até
    através bem cada com como contra contudo cuja cujo da daquela daquele das de dela delas dele deles demais dentro depois desde dessa
    desse desta deste deve devem disso diz do dois dos durante e é ela elas ele eles em embora enquanto entanto então entre era eram essa
    essas esse esses esta está estão estar estas estava estavam este estes eu faz fazer fez fim foi for fora foram geral há havia hoje isso
    isto já la lá lhe lhes lo logo longe mais mas me meio melhor menos mesma mesmas mesmo mesmos meu meus minha minhas muita muitas muito
    muitos na nada não nas nem nenhum nenhuma nessa nesse nesta neste ninguém no nos nós nossa nossas nosso nossos nova num numa nunca o
    onde ontem os ou outra outras outro outros para parte pela pelas pelo pelos per perante pode podem pois por porém porque portanto pouca
    pouco poucos primeiro própria próprio quais qual qualquer quando quanto quase que quê quem são se sé seja sejam sem sempre sendo ser
    será seu seus si sido sim só sob sobre sua suas tal também tampouco tanta tanto tão te tem têm tendo tenha ter teu teve ti tinha tinham
    toda todas todavia todo todos três tu tua tudo última último um uma umas uns vai vários você vocês vos`,
  nl: `aan al alle alleen alles als altijd ander andere anders ben beide bent bij bijna binnen bijvoorbeeld daar daarna daarom dan dat de
    deze die dit doch doen door dus echter een eerst eerste eigen elk elke en enige enkele er erg ergens even gaan gaat ge geen geweest
    geworden haar had hadden heb hebben hebt heeft heel hem hen het hier hij hoe hoewel hun iemand iets ik in indien is ja je jij jou jouw
    jullie kan kon konden kunnen kwam laat later maar maken mag me meer meest men met mij mijn minder moest moet moeten na naar naast niet
    niets nog nooit nu of om omdat onder ondanks ons ook op over per pas reeds samen sinds slechts soms steeds te tegen tenzij terwijl tijdens
    toch toen tot totdat tussen twee u uit uw vaak van vanaf vanuit veel verder vele via vol volgens voor vooral voordat waar waarom wanneer
    want waren was wat we weer wel welke werd werden wie wij wil worden wordt zal ze zeer zei zelf zelfs zich zij zijn zo zoals zodat zonder
    zou zouden zowel`,
  sv: `alla allt alltid and andra annan annat att av bara bli blir blivit blev bland både de del dem den denna deras dess dessa det detta dig
    din dina ditt du där därför då efter eftersom ej eller en enligt er era ett fanns finns fler flera fram från få får för före först förut
    ge genom ger gick gjorde gå går göra gör ha hade han hans har helt hennes henne hon honom hur här i icke idag igen in inga ingen inget
    innan inne inom inte ja jag just kan kanske kom komma kommer kring kunde kunna lika lite man med medan mellan men mer mera mest mig min
    mina mindre mitt mot mycket måste ni ned nog nu nya någon något några när nästan och också om oss på redan samma samt sedan ser sig sin
    sina sitt själv ska skall skulle som så sådan sådana säger sätt till tre två under upp ur ut utan utanför vad var vara varit varje vem
    vi vid vidare vilka vilken vilket vill än ännu är även åt över`,
  pl: `a aby ach aczkolwiek ale albo ani aż bardziej bardzo bez bo bowiem by byli był była było były być cały chce choć ci cię ciebie co coraz
    coś czy czyli czym często dalej dla dlaczego dlatego do dobrze dokąd dość dużo dwa dwie dzisiaj dziś gdy gdyby gdyż gdzie go i ich ile im
    inna inne inny innych iż ja jak jaka jakaś jaki jakie jako jakoś je jeden jedna jednak jednego jedno jego jej jemu jest jestem jeszcze
    jeśli jeżeli już ją każda każde każdy kiedy kilka kto która które którego której który których którym którzy ku lat lecz lub ma mają mam
    mi między mimo mną mnie mogą moim moja moje może możliwe można mój mu musi my na nad nam nami nas nasz nasza nasze natomiast nawet nic
    nich nie niech niego niej niemu nigdy nim nimi niż no o obok od około on ona one oni ono oraz oto owszem pan pani po pod podczas pomimo
    ponad ponieważ poza prawie przed przede przedtem przez przy raz razem również są sam sama się skąd sobie sobą sposób swoje swój ta tak
    taka taki takich takie także tam te tego tej temu ten teraz też to tobie tu tutaj twoja twoje twój ty tych tylko tym tymi w wam was wasz
    wasze we według wiele wielu więc więcej wszyscy wszystkich wszystkie wszystko właśnie z za zapewne zawsze zaś ze został została że żeby`,
  ru: `а без более больше будет будто бы был была были было быть в вам вас ваш вдруг ведь весь во вот впрочем все всегда всего всей всех вся вы
    где да даже два для до другой его ее её ей ему если есть еще ещё ж же за зачем здесь и из или им иногда их к каждый как какая какой
    когда конечно который которая которое которые кто куда ли лишь лучше между меня мне много может можно мой моя мы на над надо наконец
    нас наш не него нее неё ней нельзя нет ни нибудь никогда ним них ничего но ну о об один однако он она они оно опять от перед по под
    после потом потому почти при про раз разве с сам свой своих себе себя сейчас со совсем так такой также там тебя тем теперь то тогда
    того тоже только том тот три тут ты у уж уже хорошо хоть чего чем через что чтобы чуть эта эти это этого этой этом этот эту я является`,
};

/** Languages that have a list, as ISO 639-1 codes. */
export const STOP_WORD_LANGUAGES: readonly string[] = Object.keys(LISTS);

/** The stop words of a language; empty where there is no list. */
export const stopWordsOf = (language: string | null): ReadonlySet<string> =>
  new Set(language !== null && Object.hasOwn(LISTS, language) ? LISTS[language]?.split(/\s+/) : []);
