"""Two sentences in each of the languages of the multilingual Universal Sentence Encoder."""

SENTENCES = {
    "ar": ("القطة السوداء تنام على السجادة القديمة.", "متى تبدأ المباراة غدًا مساءً؟"),
    "de": ("Die schwarze Katze schläft auf dem alten Teppich.", "Wann fängt das Spiel morgen Abend an?"),
    "en": ("The black cat sleeps on the old carpet.", "When does the game begin tomorrow evening?"),
    "es": ("El gato negro duerme sobre la alfombra vieja.", "¿Cuándo empieza el partido mañana por la noche?"),
    "fr": ("Le chat noir dort sur le vieux tapis.", "Quand commence le match demain soir ?"),
    "it": ("Il gatto nero dorme sul vecchio tappeto.", "Quando comincia la partita domani sera?"),
    "ja": ("黒い猫が古い椅子の上で眠っている。", "明日の夜の試合はいつ始まりますか？"),
    "ko": ("검은 고양이가 낡은 양탄자 위에서 잔다.", "내일 저녁 경기는 언제 시작하나요?"),
    "nl": ("De zwarte kat slaapt op het oude tapijt.", "Wanneer begint de wedstrijd morgenavond?"),
    "pl": ("Czarny kot śpi na starym dywanie.", "O której zaczyna się jutro wieczorem mecz?"),
    "pt": ("O gato preto dorme no tapete velho.", "Quando começa o jogo amanhã à noite?"),
    "ru": ("Чёрная кошка спит на старом ковре.", "Когда завтра вечером начинается матч?"),
    "th": ("แมวดำนอนหลับอยู่บนพรมเก่า", "การแข่งขันเริ่มพรุ่งนี้เย็นกี่โมง"),
    "tr": ("Kara kedi eski halının üzerinde uyuyor.", "Maç yarın akşam ne zaman başlıyor?"),
    "zh": ("黑猫在旧地毯上睡觉。", "明天晚上的比赛几点开始？"),
    "zh-tw": ("黑貓在舊地毯上睡覺。", "明天晚上的比賽幾點開始？"),
}
