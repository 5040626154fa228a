"""Invented names: companies from place, family and trade words, people, streets, mail and phone numbers.

No real firm or person is meant. Mail lies under ``.example`` (RFC 2606); phone numbers come from the ranges that the
regulators keep for drama (Ofcom, Bundesnetzagentur, Arcep, NANP 555-01xx).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """What the names and numbers of one country are made of; ``share`` is its share of the customers."""

    code: str
    share: float
    language: str
    timezone: str
    currency: str
    phone: str
    postcode: str
    legal_forms: tuple[str, ...]
    places: tuple[tuple[str, str], ...]  # (place, region)
    families: tuple[str, ...]
    first_names: tuple[str, ...]
    trades: tuple[str, ...]
    streets: tuple[str, ...]


COUNTRIES: tuple[Country, ...] = (
    Country(
        "DE", 0.4, "de", "Europe/Berlin", "EUR", "+49 30 23125 {:03d}", "{:05d}",
        ("GmbH", "GmbH & Co. KG", "AG", "KG", "e.K."),
        (("Ahrental", "Hessen"), ("Bruckwald", "Bayern"), ("Eschenhafen", "Niedersachsen"), ("Falkenmoor", "Sachsen"),
         ("Lindenau", "Sachsen"), ("Mühlbrück", "Baden-Württemberg"), ("Nordersand", "Schleswig-Holstein"),
         ("Rothenfurt", "Hessen"), ("Steinbek", "Hamburg"), ("Westerholm", "Nordrhein-Westfalen")),
        ("Achterberg", "Brandhuber", "Dörnfeld", "Eichstedt", "Grauvogel", "Hollerbach", "Kettwig", "Lührmann",
         "Mahnkopf", "Oberdörfer", "Quandel", "Rabensteiner", "Sievershagen", "Tiedgens", "Wolkenhauer"),
        ("Anke", "Bernd", "Corinna", "Dirk", "Elke", "Frank", "Gesa", "Holger", "Imke", "Jörg", "Katrin", "Lars"),
        ("Baustoffe", "Elektrotechnik", "Feinkost", "Gebäudetechnik", "Getränke", "Landtechnik", "Logistik",
         "Maschinenbau", "Möbelwerke", "Verpackungen", "Werkzeughandel"),
        ("Am Kanal", "Gewerbering", "Hafenstraße", "Industrieweg", "Lindenallee"),
    ),
    Country(
        "GB", 0.25, "en", "Europe/London", "GBP", "+44 20 7946 0{:03d}", "QX{:02d} 4ZZ",
        ("Ltd", "plc", "LLP"),
        (("Aldermoor", "Kent"), ("Brackenfold", "Cumbria"), ("Coldwater", "Devon"), ("Fernhithe", "Essex"),
         ("Marlcombe", "Somerset"), ("Netherwick", "Yorkshire"), ("Oakenshaw", "Surrey"), ("Thornsea", "Norfolk")),
        ("Applegarth", "Birkinshaw", "Cottrell-Hay", "Dunmallet", "Featherby", "Garrowmere", "Hollinsworth",
         "Inglewhite", "Longstaffe", "Merriwell", "Penhallick", "Ravenscourt", "Thistlewood", "Wraysbury"),
        ("Alison", "Brian", "Clare", "Duncan", "Emma", "Gareth", "Helen", "Ian", "Joanne", "Keith", "Lorna", "Martin"),
        ("Bakeries", "Building Supplies", "Catering", "Engineering", "Freight", "Joinery", "Packaging", "Printers",
         "Refrigeration", "Roofing", "Textiles"),
        ("Canal Street", "Forge Lane", "Mill Road", "Station Approach", "Wharf Way"),
    ),
    Country(
        "FR", 0.15, "fr", "Europe/Paris", "EUR", "+33 1 99 00 0{:01d} {:02d}", "{:05d}",
        ("SARL", "SAS", "SA"),
        (("Aubrelle", "Normandie"), ("Brissac-le-Vieux", "Pays de la Loire"), ("Clairval", "Grand Est"),
         ("Fontmarie", "Occitanie"), ("Montreval", "Bretagne"), ("Saint-Aurin", "Hauts-de-France")),
        ("Aubriot", "Bellanger-Roux", "Chastenet", "Delacombe", "Estragnat", "Fauvelle", "Grandvaux", "Lhermitte",
         "Marchandeau", "Pontcarral", "Rochebrune", "Villedary"),
        ("Agnès", "Bruno", "Cécile", "Denis", "Élodie", "Fabrice", "Gaëlle", "Hugues", "Isabelle", "Julien"),
        ("Alimentation", "Bâtiment", "Distribution", "Emballages", "Menuiserie", "Plomberie", "Textiles", "Transports"),
        ("avenue de la Gare", "quai du Moulin", "rue des Tanneurs", "rue du Port"),
    ),
    Country(
        "US", 0.2, "en", "America/New_York", "USD", "+1 202 555 01{:02d}", "{:05d}",
        ("Inc.", "LLC", "Corp."),
        (("Alder Falls", "Ohio"), ("Birch Landing", "Pennsylvania"), ("Cedar Notch", "New York"),
         ("Maple Fork", "Virginia"), ("Prairie Bend", "Illinois"), ("Stonewater", "New Jersey")),
        ("Abernethy-Cole", "Blackmun", "Calloway", "Dearwood", "Fairweather", "Hathorne", "Kettleman", "Larkspur",
         "Middlebrook", "Overstreet", "Pemberly", "Tallwood", "Underhill", "Westbrook"),
        ("Amy", "Brandon", "Carol", "Dwayne", "Erin", "Greg", "Heather", "Jason", "Kim", "Luis", "Megan", "Nathan"),
        ("Building Products", "Distributing", "Equipment", "Foods", "Hardware", "Industrial Supply", "Logistics",
         "Packaging", "Plumbing Supply", "Restaurants"),
        ("Commerce Drive", "Industrial Parkway", "Main Street", "Railroad Avenue"),
    ),
    # Without a share of their own: only a stage (``living/stage.py``) moves customers here.
    Country(
        "NL", 0.0, "nl", "Europe/Amsterdam", "EUR", "+31 20 000 0{:03d}", "{:04d} SS",
        ("B.V.", "N.V.", "V.O.F."),
        (("Drielmonde", "Gelderland"), ("Hoogerveen", "Drenthe"), ("Oudewaal", "Utrecht"), ("Westerhaven", "Zeeland")),
        ("Aalderink", "Boomstra", "Dijkveld", "Hoekwater", "Kloosterman-Vis", "Nijboer", "Spaander", "Wesselhof"),
        ("Anneke", "Bas", "Femke", "Gijs", "Hanneke", "Joost", "Lotte", "Maarten", "Sanne", "Wouter"),
        ("Bouwmaterialen", "Elektrotechniek", "Groothandel", "Logistiek", "Machinebouw", "Verpakkingen"),
        ("Havenkade", "Industrieweg", "Molenstraat", "Stationsplein"),
    ),
    Country(
        "ES", 0.0, "es", "Europe/Madrid", "EUR", "+34 910 000 {:03d}", "{:05d}",
        ("S.L.", "S.A.", "S. Coop."),
        (("Alborán del Río", "Murcia"), ("Castromil", "Galicia"), ("Montealegre", "Aragón"), ("Villafresna", "Madrid")),
        ("Albarracín", "Bustamonte", "Cárcamo", "Echevarrieta", "Llorente-Paz", "Orihuela", "Quintanar", "Zubiri"),
        ("Alba", "Bruno", "Carmen", "Diego", "Elena", "Gonzalo", "Inés", "Javier", "Lucía", "Pablo"),
        ("Alimentación", "Construcciones", "Distribuciones", "Embalajes", "Maquinaria", "Transportes"),
        ("calle del Puerto", "avenida de la Industria", "calle Mayor", "polígono Norte"),
    ),
)  # fmt: skip

INDUSTRIES = ("construction", "food", "machinery", "retail", "services", "transport", "wholesale")
COLLECTORS = ("A. Feldkamp", "J. Ostrowe", "M. Tiverton", "P. Lacombe", "S. Brightwell")
PRODUCT_LINES = ("consumables", "hardware", "installation", "maintenance", "spare parts")


def plain(text: str) -> str:
    """Lower-case ASCII for mail addresses: umlauts and accents spelt out, everything else dropped."""
    spelt = text.lower()
    for letter, ascii_text in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("é", "e"), ("è", "e"), ("ë", "e"),
                               ("â", "a"), ("ç", "c"), ("á", "a"), ("í", "i"), ("ó", "o"), ("ú", "u"), ("ñ", "n"),
                               (" ", "-"), ("&", "")):  # fmt: skip
        spelt = spelt.replace(letter, ascii_text)
    return "".join(letter for letter in spelt if letter.isascii() and (letter.isalnum() or letter == "-")).strip("-")
