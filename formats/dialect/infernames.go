package dialect

import "strings"

// knownNames maps how senders name their columns, in several languages and
// without case or marks, to the canonical field. date and time are the halves
// of a start.
func knownNames() map[string]string {
	return map[string]string{
		"record_id": "recordid cdrid id uuid uniqueid recordno recordnumber usageid pkid lfdnr laufnummer satznummer " +
			"idcdr identifiant cdrnummer callid callidentifier datensatz",
		"correlation_id": "correlationid sharedcorrelationid mscallid microsoftid teamscallid xmscorrelationid microsoftcallid externalid",
		"caller": "caller callernumber callerid calleridnumber cli clid ani anumber anummer arufnummer callingparty callingpartynumber " +
			"callingnumber calling from fromnumber src source origin originator originating rufnummera anrufer appelant numeroappelant " +
			"llamante origen numeroorigen chiamante numerochiamante customeridentifier aparty apartynumber nummera beller",
		"callee": "callee calleenumber calleeid called calledparty calledpartynumber finalcalledpartynumber callednumber dnis bnumber " +
			"bnummer brufnummer to tonumber dst dest destination destinationnumber dialed dialled dialednumber angerufener ziel " +
			"zielrufnummer zielnummer rufnummerb appele numeroappele destinataire destino numerodestino chiamato numerochiamato " +
			"bparty bpartynumber noncharged nonchargedparty nummerb gebeld",
		"start": "start starttime startdatetime starttimestamp begin beginn begintime beginnzeit startzeit startdate startingdate datetime " +
			"timestamp connecttime answertime datetimeconnect callstart eventstart segmentstart setuptime debut datedebut heuredebut " +
			"inicio fechainicio horainicio inizio datainizio starttijd datumzeit zeitstempel calldatetime",
		"date": "date calldate datum rufdatum fecha data jour startdatum",
		"time": "time calltime zeit uhrzeit hora ora heure tijd rufzeit starttimeofday",
		"end": "end endtime enddatetime ende endzeit stoptime stop disconnecttime datetimedisconnect callend hanguptime fin datefin " +
			"heurefin fechafin horafin fine datafine eindtijd",
		"duration": "duration durationms durationsec durationseconds durations durationmin durationminutes dauer dauersek dauersekunden " +
			"dauerinsekunden gespraechsdauer gesprächsdauer callduration billsec billseconds billedduration billedseconds seconds secs " +
			"sekunden minutes minuten duree durée dureesecondes duracion duración durata duur length conversationtime",
		"direction": "direction calldirection richtung sens direccion dirección direzione richting",
		"cause":     "cause hangupcause hangupcauseid releasecause releasecode q850 q850cause destcausevalue disconnectcause causecode",
		"revision":  "revision rev cdrversion",
		"charge":    "charge cost amount preis betrag montant coste costo prix sellcost",
		"currency":  "currency waehrung währung devise moneda valuta",
		"call_type": "calltype ruftyp typeappel",
		"tenant_id": "tenantid",
	}
}

// fieldByName returns what a column of that name usually holds; "" when the
// name says nothing.
func fieldByName(column string) string {
	if id, ok := fieldNamed(strings.ToLower(strings.TrimSpace(column))); ok {
		return strings.TrimSuffix(id.String(), "_ms")
	}
	plain := plainName(column)
	for field, words := range knownNames() {
		for _, w := range strings.Fields(words) {
			if w == plain {
				return field
			}
		}
	}
	return ""
}

// plainName takes everything but letters and digits out of a name.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-./()#:'\"[]", r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
