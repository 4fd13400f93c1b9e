<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
  <context>
    <name>AuxLens</name>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Assess the accuracy of a map</source>
      <translation>Genauigkeit einer Karte beurteilen</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Compares a map with a reference: confusion matrix, accuracies of each class and area-adjusted estimates with confidence intervals, or the errors of a regression, and how reliable the probabilities are.</source>
      <translation>Vergleicht eine Karte mit einer Referenz: Konfusionsmatrix, Genauigkeiten jeder Klasse und flächenbereinigte Schätzungen mit Vertrauensbereichen oder die Fehler einer Regression, und wie verlässlich die Wahrscheinlichkeiten sind.</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>validation,confusion matrix,kappa,F1,IoU,user's accuracy,producer's accuracy,area estimation,Olofsson,RMSE,R2,calibration,reliability</source>
      <translation>Validierung,Konfusionsmatrix,Kappa,F1,IoU,Nutzergenauigkeit,Produzentengenauigkeit,Flächenschätzung,Olofsson,RMSE,R2,Kalibrierung,Verlässlichkeit</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Accuracy report</source>
      <translation>Genauigkeitsbericht</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>HTML files (*.html)</source>
      <translation>HTML-Dateien (*.html)</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Report with charts.</source>
      <translation>Bericht mit Diagrammen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Table</source>
      <translation>Tabelle</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>CSV files (*.csv)</source>
      <translation>CSV-Dateien (*.csv)</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>A row a class, means, overall figures.</source>
      <translation>Eine Zeile je Klasse, Mittelwerte, Gesamtwerte.</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Figures</source>
      <translation>Kennzahlen</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>JSON files (*.json)</source>
      <translation>JSON-Dateien (*.json)</translation>
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Everything, for other programs.</source>
      <translation>Alles, für andere Programme.</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Assess the attributions of a model</source>
      <translation>Attributionen eines Modells beurteilen</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Judges a model's attributions at sampled pixels or polygons of a scene: against Shapley values, against other methods on the same network, and against controls.</source>
      <translation>Beurteilt die Attributionen eines Modells an Pixeln oder Polygonen einer Stichprobe aus einer Szene: gegen Shapley-Werte, gegen andere Verfahren am selben Netz und gegen Kontrollen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>explanation,Shapley,SHAP,XAI,insertion,deletion,infidelity,integrated gradients,occlusion</source>
      <translation>Erklärung,Shapley,SHAP,XAI,Einfügen,Löschen,Infidelity,Integrated Gradients,Verdeckung</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Models trained alike, for example with other seeds, to see whether they explain alike.</source>
      <translation>Gleich trainierte Modelle, zum Beispiel mit anderen Startwerten, um zu sehen, ob sie gleich erklären.</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Pixels (or polygons) to sample; fewer are taken with many players, of which very many coalitions are computed.</source>
      <translation>Pixel (oder Polygone) der Stichprobe; weniger bei vielen Spielern, von denen sehr viele Koalitionen berechnet werden.</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Report</source>
      <translation>Bericht</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Report with charts and a verdict.</source>
      <translation>Bericht mit Diagrammen und einem Urteil.</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>A row a method, a column a measure.</source>
      <translation>Eine Zeile je Verfahren, eine Spalte je Maß.</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Other models</source>
      <translation>Weitere Modelle</translation>
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Pixels</source>
      <translation>Pixel</translation>
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Demo</source>
      <translation>Demo</translation>
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Train</source>
      <translation>Trainieren</translation>
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Map</source>
      <translation>Karte</translation>
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Assess</source>
      <translation>Beurteilen</translation>
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Present</source>
      <translation>Darstellen</translation>
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Model</source>
      <translation>Modell</translation>
    </message>
    <message>
      <location filename="../../algorithms/comparestrategies.py" />
      <source>Compare strategies on a folder of scenes</source>
      <translation>Strategien an einem Ordner von Szenen vergleichen</translation>
    </message>
    <message>
      <location filename="../../algorithms/comparestrategies.py" />
      <source>Compares what auxiliary modalities are good for, as something to learn (multitask), as inputs (multimodal), not at all (single) or as a control (shuffled), with random forests and gradient boosting beside them: same scenes, split and steps, several seeds, differences with confidence intervals.</source>
      <translation>Vergleicht, wozu Hilfsmodalitäten taugen: als etwas zu Lernendes (multitask), als Eingaben (multimodal), gar nicht (single) oder als Kontrolle (shuffled), daneben Random Forest und Gradient Boosting: dieselben Szenen, Aufteilung und Schritte, mehrere Startwerte, Unterschiede mit Vertrauensbereichen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/comparestrategies.py" />
      <source>ablation,benchmark,baseline,random forest,gradient boosting,multitask,multimodal,bootstrap,label efficiency</source>
      <translation>Ablation,Benchmark,Vergleichsverfahren,Random Forest,Gradient Boosting,Multitask,multimodal,Bootstrap,Referenzbedarf</translation>
    </message>
    <message>
      <location filename="../../algorithms/comparestrategies.py" />
      <source>Report with verdicts and charts.</source>
      <translation>Bericht mit Urteilen und Diagrammen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/comparestrategies.py" />
      <source>A row a method, seed and figure.</source>
      <translation>Eine Zeile je Verfahren, Startwert und Kennzahl.</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Create demo scenes</source>
      <translation>Demoszenen erzeugen</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Writes synthetic but physically plausible scenes to try AuxLens on: optical and radar bands, elevation, land cover as reference, and the known causes of errors.</source>
      <translation>Schreibt künstliche, aber physikalisch plausible Szenen zum Ausprobieren von AuxLens: optische und Radarkanäle, Höhe, Landbedeckung als Referenz und die bekannten Fehlerursachen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>example,sample,synthetic,test data,sentinel</source>
      <translation>Beispiel,Probe,künstlich,Testdaten,Sentinel</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Scenes to write; the last third carries haze, cloud shadow and a class unseen in the others.</source>
      <translation>Anzahl der Szenen; das letzte Drittel hat Dunst, Wolkenschatten und eine Klasse, die in den übrigen nicht vorkommt.</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Width and height of each scene, in pixels of 10 m.</source>
      <translation>Breite und Höhe jeder Szene, in Pixeln von 10 m.</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Folder to write to; it gets one sub-folder a scene.</source>
      <translation>Zielordner; er erhält einen Unterordner je Szene.</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Number of scenes</source>
      <translation>Anzahl der Szenen</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Scene size (pixels)</source>
      <translation>Größe der Szenen (Pixel)</translation>
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Folder of scenes</source>
      <translation>Ordner mit Szenen</translation>
    </message>
    <message>
      <location filename="../../algorithms/explainerrors.py" />
      <source>Explain the errors of a map</source>
      <translation>Die Fehler einer Karte erklären</translation>
    </message>
    <message>
      <location filename="../../algorithms/explainerrors.py" />
      <source>Asks whether a map's errors are explained by the auxiliary tasks: correlations with honest tests, how well each layer finds the errors, and where. Takes the layers that “Map a scene” or “Map a folder” wrote.</source>
      <translation>Fragt, ob die Hilfsaufgaben die Fehler einer Karte erklären: Korrelationen mit redlichen Tests, wie gut jeder Layer die Fehler findet und wo. Nimmt die Layer, die „map“ oder „mapfolder“ geschrieben hat.</translation>
    </message>
    <message>
      <location filename="../../algorithms/explainerrors.py" />
      <source>correlation,Dutilleul,bootstrap,AUROC,risk coverage,error detection,uncertainty,calibration,explainability</source>
      <translation>Korrelation,Dutilleul,Bootstrap,AUROC,Risiko und Abdeckung,Fehlererkennung,Unsicherheit,Kalibrierung,Erklärbarkeit</translation>
    </message>
    <message>
      <location filename="../../algorithms/explainerrors.py" />
      <source>Correlation of main and reconstruction errors in a moving window, a band an auxiliary band.</source>
      <translation>Korrelation von Haupt- und Rekonstruktionsfehlern in einem gleitenden Fenster, ein Kanal je Hilfskanal.</translation>
    </message>
    <message>
      <location filename="../../algorithms/explainerrors.py" />
      <source>Local correlation</source>
      <translation>Örtliche Korrelation</translation>
    </message>
    <message>
      <location filename="../../algorithms/explainerrors.py" />
      <source>Verdict, charts, windows to see.</source>
      <translation>Urteil, Diagramme, sehenswerte Fenster.</translation>
    </message>
    <message>
      <location filename="../../algorithms/explainerrors.py" />
      <source>Every figure with its interval.</source>
      <translation>Jede Kennzahl mit ihrem Vertrauensbereich.</translation>
    </message>
    <message>
      <location filename="../../algorithms/exportonnx.py" />
      <source>Export a model as ONNX</source>
      <translation>Ein Modell als ONNX exportieren</translation>
    </message>
    <message>
      <location filename="../../algorithms/exportonnx.py" />
      <source>Writes a model's network as an ONNX file for other tools, checked against the model; with a tile size, the map alone with metadata for the QGIS plugin Deepness.</source>
      <translation>Schreibt das Netz eines Modells als ONNX-Datei für andere Werkzeuge, am Modell geprüft; mit einer Kachelgröße die Karte allein, mit Metadaten für das QGIS-Plugin Deepness.</translation>
    </message>
    <message>
      <location filename="../../algorithms/exportonnx.py" />
      <source>ONNX,Deepness,interoperability,deployment,ONNX Runtime,exchange</source>
      <translation>ONNX,Deepness,Interoperabilität,Einsatz,ONNX Runtime,Austausch</translation>
    </message>
    <message>
      <location filename="../../algorithms/exportonnx.py" />
      <source>0 for a network that takes any size and gives everything. Otherwise the one size that it takes, and the map alone, as Deepness needs it, for example 512.</source>
      <translation>0 für ein Netz, das jede Größe nimmt und alles liefert. Sonst die eine Größe, die es nimmt, und die Karte allein, wie Deepness sie braucht, zum Beispiel 512.</translation>
    </message>
    <message>
      <location filename="../../algorithms/exportonnx.py" />
      <source>ONNX files (*.onnx)</source>
      <translation>ONNX-Dateien (*.onnx)</translation>
    </message>
    <message>
      <location filename="../../algorithms/exportonnx.py" />
      <source>ONNX file to write; the model's card is in its metadata.</source>
      <translation>ONNX-Datei; die Karte des Modells steht in ihren Metadaten.</translation>
    </message>
    <message>
      <location filename="../../algorithms/exportonnx.py" />
      <source>Tile size (pixels)</source>
      <translation>Kachelgröße (Pixel)</translation>
    </message>
    <message>
      <location filename="../../algorithms/exportonnx.py" />
      <source>Network</source>
      <translation>Netz</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Map a scene and explain the map</source>
      <translation>Eine Szene kartieren und die Karte erklären</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Maps one scene with a trained model and explains the map: class probabilities, uncertainty, reconstructed modalities with their errors, and the probability that the map is wrong. Only what is asked for is computed. A scene-level model maps whole polygons, or tiles.</source>
      <translation>Kartiert eine Szene mit einem trainierten Modell und erklärt die Karte: Klassenwahrscheinlichkeiten, Unsicherheit, rekonstruierte Modalitäten mit ihren Fehlern und die Wahrscheinlichkeit, dass die Karte falsch ist. Nur was verlangt ist, wird berechnet. Ein Modell auf Szenenebene kartiert ganze Polygone oder Kacheln.</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>deep learning,inference,prediction,classification,segmentation,regression,explainability,uncertainty,error</source>
      <translation>Deep Learning,Inferenz,Vorhersage,Klassifikation,Segmentierung,Regression,Erklärbarkeit,Unsicherheit,Fehler</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Classes, or the estimate of a regression.</source>
      <translation>Klassen oder der Schätzwert einer Regression.</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Class probabilities</source>
      <translation>Klassenwahrscheinlichkeiten</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>A band a class, 0 to 1 (models of classes only).</source>
      <translation>Ein Kanal je Klasse, 0 bis 1 (nur Modelle mit Klassen).</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Uncertainty</source>
      <translation>Unsicherheit</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Normalised entropy of the classes, 0 to 1; for a regression the predicted scale of its error.</source>
      <translation>Normierte Entropie der Klassen, 0 bis 1; bei einer Regression die vorhergesagte Größe ihres Fehlers.</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Reconstruction</source>
      <translation>Rekonstruktion</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Auxiliary bands as the network predicts them from the inputs, in their physical units.</source>
      <translation>Hilfskanäle, wie das Netz sie aus den Eingaben vorhersagt, in ihren physikalischen Einheiten.</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Expected error</source>
      <translation>Erwarteter Fehler</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>The network's own predicted scale of the reconstruction error; needs no auxiliary raster.</source>
      <translation>Die vom Netz selbst vorhergesagte Größe des Rekonstruktionsfehlers; braucht kein Hilfsraster.</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Reconstruction error</source>
      <translation>Rekonstruktionsfehler</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Reconstruction minus auxiliary raster, in physical units; needs auxiliary rasters.</source>
      <translation>Rekonstruktion minus Hilfsraster, in physikalischen Einheiten; braucht Hilfsraster.</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Main error</source>
      <translation>Hauptfehler</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>1 where the map differs from the reference; for a regression the difference. Needs a reference.</source>
      <translation>1, wo die Karte von der Referenz abweicht; bei einer Regression der Unterschied. Braucht eine Referenz.</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Error probability</source>
      <translation>Fehlerwahrscheinlichkeit</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Calibrated probability that the map is wrong at the pixel, 0 to 1; needs no reference.</source>
      <translation>Kalibrierte Wahrscheinlichkeit, dass die Karte am Pixel falsch ist, 0 bis 1; braucht keine Referenz.</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Attribution</source>
      <translation>Attribution</translation>
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>A band a player with its contribution to the mapped class's score; the last is the dominant player.</source>
      <translation>Ein Kanal je Spieler mit seinem Beitrag zur Bewertung der kartierten Klasse; der letzte ist der bestimmende Spieler.</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Map a folder of scenes</source>
      <translation>Einen Ordner von Szenen kartieren</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Maps every scene of a folder with a trained model, on this machine or on a Dask cluster; a scene that fails does not stop the others, and a second run does only what is missing or out of date.</source>
      <translation>Kartiert jede Szene eines Ordners mit einem trainierten Modell, auf diesem Rechner oder auf einem Dask-Cluster; eine fehlerhafte Szene hält die übrigen nicht auf, und ein zweiter Lauf macht nur, was fehlt oder veraltet ist.</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>deep learning,inference,prediction,classification,segmentation,regression,batch,cluster,dask,stac,uncertainty</source>
      <translation>Deep Learning,Inferenz,Vorhersage,Klassifikation,Segmentierung,Regression,Stapel,Cluster,Dask,STAC,Unsicherheit</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Output folder</source>
      <translation>Ausgabeordner</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Summary table</source>
      <translation>Übersichtstabelle</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Table to write: a row a scene with its status, class areas, mean uncertainty and mean errors.</source>
      <translation>Tabelle: eine Zeile je Szene mit Zustand, Klassenflächen, mittlerer Unsicherheit und mittleren Fehlern.</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Summary report</source>
      <translation>Übersichtsbericht</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Report to write: what became of each scene, with thumbnails.</source>
      <translation>Bericht: was aus jeder Szene wurde, mit Vorschaubildern.</translation>
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Folder to write to: a sub-folder a scene, and a STAC catalog of all of them.</source>
      <translation>Zielordner: ein Unterordner je Szene und ein STAC-Katalog von allen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>Describe a model</source>
      <translation>Ein Modell beschreiben</translation>
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>Writes what a model needs, what it gives, how good it is and where it was trained, with a map of the training scenes, as a page to read, keep or hand over.</source>
      <translation>Schreibt auf, was ein Modell braucht, was es liefert, wie gut es ist und wo es trainiert wurde, mit einer Karte der Trainingsszenen, als Seite zum Lesen, Aufheben und Weitergeben.</translation>
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>model card,metadata,accuracy,training data,extent,documentation</source>
      <translation>Modellkarte,Metadaten,Genauigkeit,Trainingsdaten,Ausdehnung,Dokumentation</translation>
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>Model page</source>
      <translation>Modellseite</translation>
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>Page to write, without scripts.</source>
      <translation>Die Seite, ohne Skripte.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Empty for those that the model was trained with.</source>
      <translation>Leer für die, mit denen das Modell trainiert wurde.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Model file (.safetensors) that AuxLens has trained.</source>
      <translation>Modelldatei (.safetensors), die AuxLens trainiert hat.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Several files, separated by semicolons, map together as an ensemble.</source>
      <translation>Mehrere Dateien, durch Semikolons getrennt, kartieren gemeinsam als Ensemble.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Files of each input modality inside a scene's folder: modality=pattern, one a line or separated by “;”, for example s2=s2.tif or s2=B02.tif,B03.tif,B04.tif.</source>
      <translation>Dateien jeder Eingabemodalität im Ordner einer Szene: Modalität=Muster, eines je Zeile oder durch „;“ getrennt, zum Beispiel s2=s2.tif oder s2=B02.tif,B03.tif,B04.tif.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Files of each auxiliary modality, in the same form, for example s1=s1.tif.</source>
      <translation>Dateien jeder Hilfsmodalität in derselben Form, zum Beispiel s1=s1.tif.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>File with the truth, relative to the scene's folder, for example label.tif or ../classes.gpkg.</source>
      <translation>Datei mit der Wahrheit, vom Ordner der Szene aus, zum Beispiel label.tif oder ../classes.gpkg.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>What the map shows: classes (segmentation) or a quantity (regression) of every pixel.</source>
      <translation>Was die Karte zeigt: Klassen (segmentation) oder eine Größe (regression) je Pixel.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Rasters that the network is given, when it is trained and whenever it maps. Single-band rasters together form one modality, every multi-band raster is one. The finest band of the first sets the grid.</source>
      <translation>Raster, die das Netz erhält, beim Training und bei jeder Kartierung. Einkanalige Raster bilden zusammen eine Modalität, jedes mehrkanalige ist eine. Der feinste Kanal der ersten bestimmt das Gitter.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Rasters of the auxiliary modalities, each one a modality. Training learns to reconstruct them; mapping does not need them, but compares the reconstruction with them where they exist.</source>
      <translation>Raster der Hilfsmodalitäten, jedes eine Modalität. Das Training lernt, sie zu rekonstruieren; das Kartieren braucht sie nicht, vergleicht aber die Rekonstruktion mit ihnen, wo es sie gibt.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Raster or vector layer with the truth: classes or, for a regression, numbers. It may be sparse.</source>
      <translation>Raster- oder Vektorlayer mit der Wahrheit: Klassen oder, bei einer Regression, Zahlen. Er darf lückenhaft sein.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Name of the field with the classes or numbers; needed for a vector reference only.</source>
      <translation>Name des Feldes mit den Klassen oder Zahlen; nur bei einer Vektorreferenz nötig.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Layers that AuxLens wrote for one scene, in any order: main error (or map), reconstruction error, expected error, uncertainty, probability, error probability, reconstruction. What is missing is left out.</source>
      <translation>Layer, die AuxLens für eine Szene geschrieben hat, in beliebiger Reihenfolge: Hauptfehler (oder Karte), Rekonstruktionsfehler, erwarteter Fehler, Unsicherheit, Wahrscheinlichkeit, Fehlerwahrscheinlichkeit, Rekonstruktion. Was fehlt, wird weggelassen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Folder with a sub-folder of such layers a scene, as “Map a folder” writes; instead of single layers.</source>
      <translation>Ordner mit einem Unterordner solcher Layer je Szene, wie „mapfolder“ sie schreibt; statt einzelner Layer.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Side of the moving window of the local correlations, in pixels; an odd number.</source>
      <translation>Seitenlänge des gleitenden Fensters der lokalen Korrelationen, in Pixeln; eine ungerade Zahl.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>What stands in for the bands of an absent player: their mean as in training, a blurred copy, or noise; verdicts on explanations depend on it.</source>
      <translation>Was die Kanäle eines fehlenden Spielers ersetzt: ihr Mittelwert wie im Training, eine unscharfe Kopie oder Rauschen; das Urteil über Erklärungen hängt davon ab.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Map to assess: classes or, for a regression, numbers. A raster's grid is the one that is compared on; of a layer of polygons each polygon counts once.</source>
      <translation>Karte, die beurteilt wird: Klassen oder, bei einer Regression, Zahlen. Verglichen wird auf dem Gitter des Rasters; von einem Polygonlayer zählt jedes Polygon einmal.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Name of the field with the mapped classes or numbers; for a map of polygons only.</source>
      <translation>Name des Feldes mit den kartierten Klassen oder Zahlen; nur bei einer Karte aus Polygonen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Probabilities of the classes, a band a class, 0 to 1: shows whether they mean what they say.</source>
      <translation>Wahrscheinlichkeiten der Klassen, ein Kanal je Klasse, 0 bis 1: zeigt, ob sie bedeuten, was sie sagen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Uncertainty that “map” wrote for a regression: shows whether its intervals hold what they say.</source>
      <translation>Unsicherheit, die „map“ für eine Regression geschrieben hat: zeigt, ob ihre Intervalle halten, was sie sagen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Rasters that “map” wrote for one scene, in any order and under any name: map, probability, uncertainty, error probability, expected error, reconstruction error, attribution. Other rasters are left out.</source>
      <translation>Raster, die „map“ für eine Szene geschrieben hat, in beliebiger Reihenfolge und unter beliebigem Namen: Karte, Wahrscheinlichkeit, Unsicherheit, Fehlerwahrscheinlichkeit, erwarteter Fehler, Rekonstruktionsfehler, Attribution. Andere Raster bleiben außen vor.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Parcels, districts or other areas, in any CRS. They may overlap, have several parts, and lie outside.</source>
      <translation>Flurstücke, Bezirke oder andere Flächen in beliebigem KBS. Sie dürfen sich überlappen, mehrteilig sein und außerhalb liegen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Folder with one sub-folder a scene; or with the files of all scenes, told apart by what * stands for in the first input pattern, for example *_S2.tif.</source>
      <translation>Ordner mit einem Unterordner je Szene; oder mit den Dateien aller Szenen, unterschieden durch das, wofür * im ersten Eingabemuster steht, zum Beispiel *_S2.tif.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Scenes may lack them.</source>
      <translation>Szenen dürfen ohne sie sein.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Scenes that lack one are left out.</source>
      <translation>Szenen, denen eine fehlt, werden ausgelassen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>For scene-level tasks also ../labels.csv, with the scenes' names in its first column.</source>
      <translation>Für Aufgaben je Szene auch ../labels.csv, mit den Namen der Szenen in der ersten Spalte.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Layers to write for each scene; only what is asked for is computed.</source>
      <translation>Layer, die für jede Szene geschrieben werden; nur was verlangt ist, wird berechnet.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Address of a Dask cluster's scheduler, for example tcp://host:8786, whose workers have AuxLens and see the same files; empty to work on this machine.</source>
      <translation>Adresse des Schedulers eines Dask-Clusters, zum Beispiel tcp://host:8786, dessen Rechner AuxLens haben und dieselben Dateien sehen; leer, um auf diesem Rechner zu rechnen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Folder of test scenes</source>
      <translation>Ordner mit Testszenen</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Folder with the scenes to test on, found by the same patterns; without one, some of the scenes are held out for testing.</source>
      <translation>Ordner mit den Szenen zum Testen, gefunden mit denselben Mustern; ohne ihn werden einige der Szenen zum Testen zurückgehalten.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Or one class (scene_classification) or number (scene_regression) for each polygon or scene.</source>
      <translation>Oder eine Klasse (scene_classification) oder Zahl (scene_regression) je Polygon oder Szene.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>What the auxiliary rasters are for: multitask learns to reconstruct them, single leaves them out, multimodal takes them as inputs (and needs them whenever it maps), shuffled is a control that learns to reconstruct those of other places.</source>
      <translation>Wozu die Hilfsraster dienen: multitask lernt, sie zu rekonstruieren, single lässt sie weg, multimodal nimmt sie als Eingaben (und braucht sie bei jeder Kartierung), shuffled ist eine Kontrolle, die lernt, die anderer Orte zu rekonstruieren.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Trainings of each strategy, each with a seed of its own: chance needs at least two, better three to five.</source>
      <translation>Trainings je Strategie, jedes mit eigenem Startwert: der Zufall verlangt mindestens zwei, besser drei bis fünf.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Shares of the training references in percent, separated by “;”, for example 10;25;50;100: what fewer references cost. Each share below 100 trains single and multitask once more.</source>
      <translation>Anteile der Trainingsreferenzen in Prozent, durch „;“ getrennt, zum Beispiel 10;25;50;100: was weniger Referenzen kosten. Jeder Anteil unter 100 trainiert single und multitask noch einmal.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Size of the network: small is quick and enough for most scenes; base and large want a GPU.</source>
      <translation>Größe des Netzes: small ist schnell und genügt für die meisten Szenen; base und large verlangen eine GPU.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Passes over the training chips at most; training stops early when validation no longer improves.</source>
      <translation>Höchstzahl der Durchgänge durch die Trainingsausschnitte; das Training endet früher, wenn die Validierung nicht mehr besser wird.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Minutes for learning; with players the last quarter is for attributions. 0 for no limit.</source>
      <translation>Minuten zum Lernen; mit Spielern ist das letzte Viertel für Attributionen. 0 für keine Grenze.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Width and height of the training chips, in pixels of the input grid.</source>
      <translation>Breite und Höhe der Trainingsausschnitte, in Pixeln des Eingabegitters.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Start of the random numbers; the same seed gives the same result again.</source>
      <translation>Startwert der Zufallszahlen; derselbe ergibt wieder dasselbe Ergebnis.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Where to compute: auto (a GPU if there is one), cpu, cuda, cuda:1 (the second GPU) or mps.</source>
      <translation>Wo gerechnet wird: auto (eine GPU, falls vorhanden), cpu, cuda, cuda:1 (die zweite GPU) oder mps.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Number format of the network; auto takes 16 bits where the device computes in them, else float32.</source>
      <translation>Zahlenformat des Netzes; auto nimmt 16 Bit, wo das Gerät damit rechnet, sonst float32.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Width and height of the window computed at once, in pixels; of the grid's tiles for a scene-level model without polygons. 0 lets the engine choose.</source>
      <translation>Breite und Höhe des Fensters, das auf einmal berechnet wird, in Pixeln; ohne Polygone die der Kacheln eines Modells je Szene. 0 überlässt die Wahl der Engine.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Context read around each tile, in pixels; −1 takes the model's margin, which leaves no seams.</source>
      <translation>Umgebung, die um jede Kachel gelesen wird, in Pixeln; −1 nimmt den Rand des Modells, der keine Nähte lässt.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Windows computed together; 0 lets the engine choose.</source>
      <translation>Gemeinsam berechnete Fenster; 0 überlässt die Wahl der Engine.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Training chips a step; 0 lets the engine choose.</source>
      <translation>Trainingsausschnitte je Schritt; bei 0 wählt die Engine.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Batch size</source>
      <translation>Stapelgröße</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Part of the scene to map, in any CRS; empty for the whole scene.</source>
      <translation>Teil der Szene, der kartiert wird, in beliebigem KBS; leer für die ganze Szene.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Polygons that a scene-level model is about, each as a whole; without any it takes the tiles of a regular grid. Other models take none.</source>
      <translation>Polygone, um die es einem Modell auf Szenenebene geht, jedes als Ganzes; ohne sie nimmt es die Kacheln eines regelmäßigen Gitters. Andere Modelle nehmen keine.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Raster (not 0) or polygons inside which to map; everything outside becomes nodata.</source>
      <translation>Raster (nicht 0) oder Polygone, innerhalb derer kartiert wird; alles außerhalb wird Nodata.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Model file to write: the weights and a card that describes them.</source>
      <translation>Modelldatei: die Gewichte und eine Karte, die sie beschreibt.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Report to write: learning curves, figures on validation and test, example chips.</source>
      <translation>Bericht: Lernkurven, Kennzahlen auf Validierung und Test, Beispielausschnitte.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Weight of the mean loss of the auxiliary tasks, beside 1 for the main task; −1 weighs all tasks by learned uncertainty instead.</source>
      <translation>Gewicht des mittleren Verlusts der Hilfsaufgaben, neben 1 für die Hauptaufgabe; −1 gewichtet stattdessen alle Aufgaben nach gelernter Unsicherheit.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Of the chips from scenes without a reference, the share in which random input bands are hidden, to be reconstructed: what such scenes teach without auxiliary rasters. 0 for none.</source>
      <translation>Anteil der Ausschnitte aus Szenen ohne Referenz, in denen zufällige Eingangskanäle verdeckt und rekonstruiert werden: was solche Szenen ohne Hilfsraster lehren. 0 für keine.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Groups of input bands whose contributions make up each score, one “player=band,band” a line, for example “visible=B2,B3,B4”; empty for groups by modality and spectral region, “none” for no attributions. Of scene-level tasks, “patches=4” for image patches of which 4 × 4 make a chip; empty for no attributions.</source>
      <translation>Gruppen von Eingabekanälen, deren Beiträge jede Bewertung ausmachen, eine Zeile „Spieler=Kanal,Kanal“ je Gruppe, zum Beispiel „visible=B2,B3,B4“; leer für Gruppen nach Modalität und Spektralbereich, „none“ für keine Attributionen. Bei Aufgaben auf Szenenebene „patches=4“ für Bildfelder, von denen 4 × 4 einen Ausschnitt ergeben; leer für keine Attributionen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Class, by name or value, whose score the attributions explain; empty for each pixel's mapped class.</source>
      <translation>Klasse, nach Name oder Wert, deren Bewertung die Attributionen erklären; leer für die kartierte Klasse jedes Pixels.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>GeoPackage with the polygons (or tiles) and a field for each result; of scene-level models only.</source>
      <translation>GeoPackage mit den Polygonen (oder Kacheln) und einem Feld je Ergebnis; nur von Modellen auf Szenenebene.</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>AuxLens model (*.safetensors)</source>
      <translation>AuxLens-Modell (*.safetensors)</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Input rasters</source>
      <translation>Eingaberaster</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Auxiliary rasters</source>
      <translation>Hilfsraster</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Reference</source>
      <translation>Referenz</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Reference field</source>
      <translation>Referenzfeld</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Layers of a mapped scene</source>
      <translation>Layer einer kartierten Szene</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Folder of mapped scenes</source>
      <translation>Ordner mit kartierten Szenen</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Window of local correlations</source>
      <translation>Fenster der lokalen Korrelationen</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Absent bands</source>
      <translation>Fehlende Kanäle</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Map field</source>
      <translation>Kartenfeld</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Uncertainty of a regression</source>
      <translation>Unsicherheit einer Regression</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Layers of the mapped scene</source>
      <translation>Layer der kartierten Szene</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Polygons</source>
      <translation>Polygone</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Input patterns</source>
      <translation>Eingabemuster</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Auxiliary patterns</source>
      <translation>Hilfsmuster</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Reference pattern</source>
      <translation>Referenzmuster</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Layers</source>
      <translation>Layer</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Dask scheduler</source>
      <translation>Dask-Scheduler</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Main task</source>
      <translation>Hauptaufgabe</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Strategy</source>
      <translation>Strategie</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Repetitions</source>
      <translation>Wiederholungen</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Shares of references (%)</source>
      <translation>Anteile der Referenzen (%)</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Network size</source>
      <translation>Größe des Netzes</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Epochs</source>
      <translation>Epochen</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Time limit (minutes)</source>
      <translation>Zeitgrenze (Minuten)</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Chip size (pixels)</source>
      <translation>Größe der Ausschnitte (Pixel)</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Seed</source>
      <translation>Startwert</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Device</source>
      <translation>Gerät</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Precision</source>
      <translation>Genauigkeit der Zahlen</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Overlap (pixels)</source>
      <translation>Überlappung (Pixel)</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Extent</source>
      <translation>Ausdehnung</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Mask</source>
      <translation>Maske</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Training report</source>
      <translation>Trainingsbericht</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Weight of the auxiliary tasks</source>
      <translation>Gewicht der Hilfsaufgaben</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Share of chips with masked bands</source>
      <translation>Anteil der Ausschnitte mit verdeckten Kanälen</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Players</source>
      <translation>Spieler</translation>
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Attributed class</source>
      <translation>Erklärte Klasse</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Report on a mapped scene</source>
      <translation>Bericht über eine kartierte Szene</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Makes a report of a mapped scene, as PDF through a layout that you may edit and as HTML: the map, where it is doubtful and why, the auxiliary modalities, areas, the model and how to make it again.</source>
      <translation>Macht einen Bericht über eine kartierte Szene, als PDF über ein Layout, das sich bearbeiten lässt, und als HTML: die Karte, wo sie zweifelhaft ist und warum, die Hilfsmodalitäten, Flächen, das Modell und wie sie sich wieder herstellen lässt.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>layout,print,PDF,HTML,atlas,map book,publication,explainability</source>
      <translation>Layout,Druck,PDF,HTML,Atlas,Kartenbuch,Veröffentlichung,Erklärbarkeit</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Layers that “map” made, of one scene or of several; they are told by their tags, not their names.</source>
      <translation>Layer, die „map“ gemacht hat, von einer oder mehreren Szenen; sie werden an ihren Metadaten erkannt, nicht an ihren Namen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Size of the pages: the template's own (A4 in AuxLens's), A4 or Letter.</source>
      <translation>Größe der Seiten: die der Vorlage (A4 in der von AuxLens), A4 oder Letter.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>One static HTML file with everything inside.</source>
      <translation>Eine statische HTML-Datei, in der alles enthalten ist.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Pages at 300 dpi, printed through the template.</source>
      <translation>Seiten mit 300 dpi, über die Vorlage gedruckt.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Title</source>
      <translation>Titel</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Paper</source>
      <translation>Papier</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>PDF files (*.pdf)</source>
      <translation>PDF-Dateien (*.pdf)</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Model that made the map, where it is no longer where the map's tags say.</source>
      <translation>Modell, das die Karte gemacht hat, falls es nicht mehr dort liegt, wo die Metadaten der Karte sagen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Figures of accuracy</source>
      <translation>Kennzahlen der Genauigkeit</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Figures (*.json *.csv)</source>
      <translation>Kennzahlen (*.json *.csv)</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>What “accuracy” wrote as JSON or CSV: gives areas with confidence intervals.</source>
      <translation>Was „accuracy“ als JSON oder CSV geschrieben hat: ergibt Flächen mit Vertrauensbereichen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Table of explained errors</source>
      <translation>Tabelle der erklärten Fehler</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>What “explainerrors” wrote as CSV; any other table is shown as it is.</source>
      <translation>Was „explainerrors“ als CSV geschrieben hat; jede andere Tabelle wird gezeigt, wie sie ist.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Layout template</source>
      <translation>Layoutvorlage</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Layout templates (*.qpt)</source>
      <translation>Layoutvorlagen (*.qpt)</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Template of your own; the items are named as in AuxLens's, resources/templates/report.qpt.</source>
      <translation>Eigene Vorlage; die Elemente heißen wie in der von AuxLens, resources/templates/report.qpt.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Title of the report; the scene's name where it is empty.</source>
      <translation>Titel des Berichts; leer für den Namen der Szene.</translation>
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Report as PDF</source>
      <translation>Bericht als PDF</translation>
    </message>
    <message>
      <location filename="../../algorithms/sensitivity.py" />
      <source>Measure what a map depends on</source>
      <translation>Messen, wovon eine Karte abhängt</translation>
    </message>
    <message>
      <location filename="../../algorithms/sensitivity.py" />
      <source>Takes away the bands of each player in turn and measures how much the map and each reconstructed band change, by class, and whether the map and the auxiliary tasks depend on the same bands.</source>
      <translation>Nimmt nacheinander die Kanäle jedes Spielers weg und misst, wie sehr sich die Karte und jeder rekonstruierte Kanal ändern, nach Klasse, und ob Karte und Hilfsaufgaben von denselben Kanälen abhängen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/sensitivity.py" />
      <source>occlusion,perturbation,band importance,explainability,XAI,ablation</source>
      <translation>Verdeckung,Störung,Wichtigkeit von Kanälen,Erklärbarkeit,XAI,Ablation</translation>
    </message>
    <message>
      <location filename="../../algorithms/sensitivity.py" />
      <source>A band a player with the change of the map without it; the last is the most influential player.</source>
      <translation>Ein Kanal je Spieler mit der Änderung der Karte ohne ihn; der letzte ist der einflussreichste Spieler.</translation>
    </message>
    <message>
      <location filename="../../algorithms/sensitivity.py" />
      <source>Sensitivity</source>
      <translation>Empfindlichkeit</translation>
    </message>
    <message>
      <location filename="../../algorithms/sensitivity.py" />
      <source>A row a class, player and task.</source>
      <translation>Eine Zeile je Klasse, Spieler und Aufgabe.</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Style explanation layers alike</source>
      <translation>Erklärungslayer einheitlich gestalten</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Applies the explanation styles to layers or to a group of them, told by their tags and not by their names: the same colours and the same scale for the same output, so that scenes can be compared.</source>
      <translation>Wendet die Erklärungsstile auf Layer oder eine Gruppe von Layern an, erkannt an ihren Metadaten und nicht an ihren Namen: dieselben Farben und dieselbe Skala für dieselbe Ausgabe, damit sich Szenen vergleichen lassen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>symbology,legend,colour ramp,theme,QML,SLD,colour blind,percentile,batch</source>
      <translation>Symbolisierung,Legende,Farbverlauf,Thema,QML,SLD,farbenblind,Perzentil,Stapel</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Layers that “map” made, of one scene or of several; others are left as they are.</source>
      <translation>Layer, die „map“ gemacht hat, von einer oder mehreren Szenen; andere bleiben, wie sie sind.</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Name of a group of the layer tree, whose layers are styled too, with those of the groups in it.</source>
      <translation>Name einer Gruppe des Layerbaums, deren Layer ebenfalls gestaltet werden, samt denen der Gruppen darin.</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Band to show where a layer has one of that name, for example s1:VH, a class or a player.</source>
      <translation>Kanal, der gezeigt wird, wo ein Layer einen dieses Namens hat, zum Beispiel s1:VH, eine Klasse oder ein Spieler.</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Share of the values, in percent, beyond a scale's ends: 0 shows all, 2 lets outliers saturate.</source>
      <translation>Anteil der Werte, in Prozent, jenseits der Enden einer Skala: 0 zeigt alle, 2 lässt Ausreißer sättigen.</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Makes a map theme for each output, to switch between them in the layer tree and in layouts.</source>
      <translation>Legt für jede Ausgabe ein Kartenthema an, um im Layerbaum und in Layouts zwischen ihnen zu wechseln.</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Writes each style beside its raster: qml opens styled in QGIS, sld is for other programs.</source>
      <translation>Schreibt jeden Stil neben sein Raster: qml öffnet sich in QGIS gestaltet, sld ist für andere Programme.</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Group</source>
      <translation>Gruppe</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Band</source>
      <translation>Kanal</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Percent cut off at either end</source>
      <translation>An jedem Ende abgeschnittene Prozent</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Make a map theme for each output</source>
      <translation>Für jede Ausgabe ein Kartenthema anlegen</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Save styles beside the rasters</source>
      <translation>Stile neben den Rastern speichern</translation>
    </message>
    <message>
      <location filename="../../algorithms/style.py" />
      <source>Theme “{}”.</source>
      <translation>Thema „{}“.</translation>
    </message>
    <message>
      <location filename="../../algorithms/train.py" />
      <source>Train a model on layers</source>
      <translation>Ein Modell auf Layern trainieren</translation>
    </message>
    <message>
      <location filename="../../algorithms/train.py" />
      <source>Trains a model on the layers of one scene: it learns to map the reference from the input rasters and, as auxiliary tasks, to reconstruct the auxiliary rasters, which are not needed when it maps.</source>
      <translation>Trainiert ein Modell auf den Layern einer Szene: Es lernt, aus den Eingaberastern die Referenz zu kartieren und, als Hilfsaufgaben, die Hilfsraster zu rekonstruieren, die es beim Kartieren nicht braucht.</translation>
    </message>
    <message>
      <location filename="../../algorithms/train.py" />
      <source>deep learning,neural network,classification,segmentation,regression,multitask</source>
      <translation>Deep Learning,neuronales Netz,Klassifikation,Segmentierung,Regression,Multitask</translation>
    </message>
    <message>
      <location filename="../../algorithms/trainfolder.py" />
      <source>Train a model on a folder of scenes</source>
      <translation>Ein Modell auf einem Ordner von Szenen trainieren</translation>
    </message>
    <message>
      <location filename="../../algorithms/trainfolder.py" />
      <source>Trains a model on a folder of scenes, with a sub-folder or a file name for each; whole scenes are kept apart for validation and test where there are enough of them.</source>
      <translation>Trainiert ein Modell auf einem Ordner von Szenen, mit einem Unterordner oder Dateinamen für jede; ganze Szenen werden für Validierung und Test beiseitegelegt, wo es genug davon gibt.</translation>
    </message>
    <message>
      <location filename="../../algorithms/zonalexplanation.py" />
      <source>Explain a map by polygon</source>
      <translation>Eine Karte je Polygon erklären</translation>
    </message>
    <message>
      <location filename="../../algorithms/zonalexplanation.py" />
      <source>Summarises the explanation layers of a mapped scene by polygon: areas by class, uncertainty, error probability, expected and observed reconstruction errors, attributions, and a sentence in plain words.</source>
      <translation>Fasst die Erklärungslayer einer kartierten Szene je Polygon zusammen: Flächen der Klassen, Unsicherheit, Fehlerwahrscheinlichkeit, erwartete und beobachtete Rekonstruktionsfehler, Attributionen und ein Satz in einfachen Worten.</translation>
    </message>
    <message>
      <location filename="../../algorithms/zonalexplanation.py" />
      <source>zonal statistics,parcels,fields,area,percentile,error probability,attribution,uncertainty,table</source>
      <translation>Zonenstatistik,Flurstücke,Felder,Fläche,Perzentil,Fehlerwahrscheinlichkeit,Attribution,Unsicherheit,Tabelle</translation>
    </message>
    <message>
      <location filename="../../algorithms/zonalexplanation.py" />
      <source>Explained polygons</source>
      <translation>Erklärte Polygone</translation>
    </message>
    <message>
      <location filename="../../algorithms/zonalexplanation.py" />
      <source>The polygons with their figures, styled by error probability.</source>
      <translation>Die Polygone mit ihren Kennzahlen, nach Fehlerwahrscheinlichkeit gestaltet.</translation>
    </message>
    <message>
      <location filename="../../algorithms/zonalexplanation.py" />
      <source>The same figures, a row a polygon.</source>
      <translation>Dieselben Kennzahlen, eine Zeile je Polygon.</translation>
    </message>
    <message>
      <location filename="../../plugin/cards.py" />
      <source>The model file “{}” is not the one that made this map (its SHA-256 differs).</source>
      <translation>Die Modelldatei „{}“ ist nicht die, die diese Karte gemacht hat (ihr SHA-256 ist ein anderer).</translation>
    </message>
    <message>
      <location filename="../../plugin/cards.py" />
      <source>The model file “{}” does not exist any more.</source>
      <translation>Die Modelldatei „{}“ gibt es nicht mehr.</translation>
    </message>
    <message>
      <location filename="../../plugin/cards.py" />
      <source>The model file “{}” cannot be read: {}.</source>
      <translation>Die Modelldatei „{}“ ist nicht lesbar: {}.</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/action.py" />
      <source>Why here?</source>
      <translation>Warum hier?</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/action.py" />
      <source>Ask a mapped scene about a place: click a pixel or draw an outline.</source>
      <translation>Eine kartierte Szene nach einem Ort fragen: auf ein Pixel klicken oder einen Umriss ziehen.</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source>Nothing is mapped here</source>
      <translation>Hier ist nichts kartiert</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source>Estimated as {}</source>
      <translation>Geschätzt auf {}</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source>{} pixels</source>
      <translation>{} Pixel</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source> on {} of the area</source>
      <translation> auf {} der Fläche</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source>Mapped as {}</source>
      <translation>Kartiert als {}</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>The mapped scene that is asked, where several lie below each other.</source>
      <translation>Die gefragte Szene, wo mehrere kartierte untereinanderliegen.</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>Copy text</source>
      <translation>Text kopieren</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>Copy picture</source>
      <translation>Bild kopieren</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>No mapped scene lies here: add layers that “map” made, and click on them.</source>
      <translation>Hier liegt keine kartierte Szene: Layer hinzufügen, die „map“ gemacht hat, und darauf klicken.</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>The layers have changed; click again.</source>
      <translation>Die Layer haben sich geändert; bitte noch einmal klicken.</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Attribution: what speaks for it (+) and against it (−)</source>
      <translation>Attribution: was dafür (+) und dagegen (−) spricht</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Attribution: what raises the estimate (+) and lowers it (−)</source>
      <translation>Attribution: was die Schätzung erhöht (+) und senkt (−)</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>predicted {}</source>
      <translation>vorhergesagt {}</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>together {}</source>
      <translation>zusammen {}</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Attribution: what speaks for “{}” (+) and against it (−)</source>
      <translation>Attribution: was für „{}“ spricht (+) und was dagegen (−)</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>predicted</source>
      <translation>vorhergesagt</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Doubt</source>
      <translation>Zweifel</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Probability of the classes</source>
      <translation>Wahrscheinlichkeit der Klassen</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>bias</source>
      <translation>Bias</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>{} of it differs from the reference</source>
      <translation>{} davon weichen von der Referenz ab</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>differs from the reference</source>
      <translation>weicht von der Referenz ab</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>agrees with the reference</source>
      <translation>stimmt mit der Referenz überein</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>observed</source>
      <translation>beobachtet</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>observed {}</source>
      <translation>beobachtet {}</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>higher than {} % of the scene</source>
      <translation>höher als {} % der Szene</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>dominant: {}</source>
      <translation>bestimmend: {}</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>{}: off by {} times the expected error</source>
      <translation>{}: um das {}-Fache des erwarteten Fehlers daneben</translation>
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Click a mapped scene, or draw an outline.</source>
      <translation>Auf eine kartierte Szene klicken oder einen Umriss ziehen.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>Are errors explained?</source>
      <translation>Sind die Fehler erklärt?</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>How well each layer ranks wrong pixels before right ones, with 95 % intervals. AUROC: 0.5 is chance, 1 perfect. AUPR: higher is better. FPR95 and AURC: lower is better. The gain is that in AUROC over the uncertainty alone.</source>
      <translation>Wie gut jeder Layer falsche Pixel vor richtige reiht, mit 95-%-Intervallen. AUROC: 0,5 ist Zufall, 1 vollkommen. AUPR: mehr ist besser. FPR95 und AURC: weniger ist besser. Der Gewinn ist der an AUROC gegenüber der Unsicherheit allein.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>Correlation of the main error with each reconstruction error over all pixels, with 95 % intervals. The p-value counts neighbouring pixels by their effective number (Dutilleul 1993). Partial: given uncertainty and class. Figures by class and scene are in the file.</source>
      <translation>Korrelation des Hauptfehlers mit jedem Rekonstruktionsfehler über alle Pixel, mit 95-%-Intervallen. Der p-Wert zählt benachbarte Pixel mit ihrer effektiven Anzahl (Dutilleul 1993). Partiell: bei gegebener Unsicherheit und Klasse. Zahlen nach Klasse und Szene stehen in der Datei.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>Accuracy</source>
      <translation>Genauigkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>reference polygons</source>
      <translation>Referenzpolygone</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>reference pixels</source>
      <translation>Referenzpixel</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>class</source>
      <translation>Klasse</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>reconstruction error</source>
      <translation>Rekonstruktionsfehler</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>p (effective pixels)</source>
      <translation>p (effektive Pixel)</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>partial</source>
      <translation>partiell</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>layer</source>
      <translation>Layer</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>gain</source>
      <translation>Gewinn</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>The {} strongest of {} are shown.</source>
      <translation>Gezeigt sind die {} stärksten von {}.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/assessment_sheets.py" />
      <source>({} more rows in the file)</source>
      <translation>({} weitere Zeilen in der Datei)</translation>
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>The scenes were mapped with different models ({}); the page “Model” is about {}.</source>
      <translation>Die Szenen wurden mit verschiedenen Modellen kartiert ({}); die Seite „Modell“ gilt {}.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Mapped scenes</source>
      <translation>Kartierte Szenen</translation>
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Printing the PDF</source>
      <translation>PDF wird gedruckt</translation>
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>The report was canceled.</source>
      <translation>Der Bericht wurde abgebrochen.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Writing the HTML</source>
      <translation>HTML wird geschrieben</translation>
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Measuring {}</source>
      <translation>{} wird ausgemessen</translation>
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>The figures of accuracy are about another map, “{}”.</source>
      <translation>Die Zahlen zur Genauigkeit gelten einer anderen Karte, „{}“.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>The job, for reading: its long lines are broken here. Whole it is in the tag AUXLENS_JOB of each raster: save that as job.json and run it with: auxlens run job.json</source>
      <translation>Der Auftrag zum Lesen: Lange Zeilen sind hier umbrochen. Ganz steht er im Tag AUXLENS_JOB jedes Rasters: diesen als job.json speichern und ausführen mit: auxlens run job.json</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Name</source>
      <translation>Name</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Created</source>
      <translation>Erstellt</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Licence</source>
      <translation>Lizenz</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Made with</source>
      <translation>Gemacht mit</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Report by</source>
      <translation>Bericht von</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>SHA-256 of the model</source>
      <translation>SHA-256 des Modells</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>It is the first scene's; every raster carries its own.</source>
      <translation>Es ist der Auftrag der ersten Szene; jedes Raster trägt seinen eigenen.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>not stated</source>
      <translation>nicht angegeben</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Intervals</source>
      <translation>Intervalle</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Trained on</source>
      <translation>Trainiert auf</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>uncertainty</source>
      <translation>Unsicherheit</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>How to reproduce</source>
      <translation>Wie man sie wieder herstellt</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>AuxLens {}</source>
      <translation>AuxLens {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Figures on {}</source>
      <translation>Kennzahlen auf {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Reconstruction of {}</source>
      <translation>Rekonstruktion von {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Error probability ({})</source>
      <translation>Fehlerwahrscheinlichkeit ({})</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Input {}</source>
      <translation>Eingabe {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>Auxiliary {}</source>
      <translation>Hilfsmodalität {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/closing_sheets.py" />
      <source>SHA-256 of the {}, {}</source>
      <translation>SHA-256 ({}, {})</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>The uncertainty is how evenly the probability is spread over the classes; it is no rate of errors.</source>
      <translation>Die Unsicherheit sagt, wie gleichmäßig sich die Wahrscheinlichkeit auf die Klassen verteilt; sie ist keine Fehlerquote.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>The uncertainty is how large the network expects the error of the estimate to be.</source>
      <translation>Die Unsicherheit sagt, wie groß der Fehler der Schätzung nach Erwartung des Netzes ist.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>Where the map is doubtful</source>
      <translation>Wo die Karte zweifelhaft ist</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>Share of the area by error probability</source>
      <translation>Flächenanteil nach Fehlerwahrscheinlichkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>error probability</source>
      <translation>Fehlerwahrscheinlichkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>share</source>
      <translation>Anteil</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>expected wrong</source>
      <translation>falsch erwartet</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>where the map is doubtful</source>
      <translation>wo die Karte zweifelhaft ist</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>there is no layer “error probability” or “uncertainty”</source>
      <translation>es gibt keinen Layer „error probability“ oder „uncertainty“</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>Main error: where map and reference differ</source>
      <translation>Hauptfehler: wo Karte und Referenz voneinander abweichen</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>The error probability is set to the rate of errors on held-out references: {} of this map is expected to be wrong.</source>
      <translation>Die Fehlerwahrscheinlichkeit ist auf die Fehlerrate an zurückgehaltenen Referenzen eingestellt: {} dieser Karte sind falsch zu erwarten.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>area ({})</source>
      <translation>Fläche ({})</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>Wrong is an estimate that is off by more than {}.</source>
      <translation>Falsch ist eine Schätzung, die um mehr als {} danebenliegt.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>It ranks wrong above right pixels with an AUROC of {}.</source>
      <translation>Sie ordnet falsche über richtige Pixel mit einer AUROC von {}.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/doubt_sheet.py" />
      <source>observed wrong</source>
      <translation>falsch beobachtet</translation>
    </message>
    <message>
      <location filename="../../plugin/report/drawn.py" />
      <source>Scenes</source>
      <translation>Szenen</translation>
    </message>
    <message>
      <location filename="../../plugin/report/drawn.py" />
      <source>Places</source>
      <translation>Orte</translation>
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>map</source>
      <translation>Karte</translation>
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>picture</source>
      <translation>Bild</translation>
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>table</source>
      <translation>Tabelle</translation>
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>label</source>
      <translation>Beschriftung</translation>
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>The template has no page “{}”; it was left out.</source>
      <translation>Die Vorlage hat keine Seite „{}“; sie wurde weggelassen.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>The template has no {} “{}.{}”; it was left out.</source>
      <translation>In der Vorlage fehlt: {} „{}.{}“; weggelassen.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>Estimated areas are adjusted for the map's errors (Olofsson et al. 2014); lines are 95 % intervals.</source>
      <translation>Geschätzte Flächen sind um die Fehler der Karte bereinigt (Olofsson et al. 2014); Linien sind 95-%-Vertrauensbereiche.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>Areas are counted on the map; intervals need an assessment of its accuracy.</source>
      <translation>Flächen sind auf der Karte gezählt; Vertrauensbereiche setzen eine Beurteilung ihrer Genauigkeit voraus.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>Areas by class</source>
      <translation>Flächen nach Klasse</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>The scene (first input)</source>
      <translation>Die Szene (erste Eingabe)</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>The map</source>
      <translation>Die Karte</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>Mapped on {} with the model “{}” (AuxLens {})</source>
      <translation>Kartiert am {} mit dem Modell „{}“ (AuxLens {})</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>the map</source>
      <translation>die Karte</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>there is no layer “map”</source>
      <translation>es gibt keinen Layer „map“</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>areas by class</source>
      <translation>Flächen nach Klasse</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>the map shows a quantity</source>
      <translation>die Karte zeigt eine Größe</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>mapped area ({})</source>
      <translation>kartierte Fläche ({})</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>estimated area ({}), ± 95 %</source>
      <translation>geschätzte Fläche ({}), ± 95 %</translation>
    </message>
    <message>
      <location filename="../../plugin/report/map_sheets.py" />
      <source>No reference lies in the area mapped as {}, so estimates leave it out.</source>
      <translation>In der als {} kartierten Fläche liegt keine Referenz; die Schätzungen lassen sie weg.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>What the network says this modality looks like, judging by the inputs alone.</source>
      <translation>Wie diese Modalität nach Meinung des Netzes aussieht, allein nach den Eingaben beurteilt.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>it has no value on the scene</source>
      <translation>sie hat in der Szene keinen Wert</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>By band</source>
      <translation>Nach Kanal</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>auxiliary modalities</source>
      <translation>Hilfsmodalitäten</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>there is no layer “reconstruction” or of its errors</source>
      <translation>es gibt keinen Layer „reconstruction“ oder seiner Fehler</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>Reconstruction error of {} (reconstruction − reference)</source>
      <translation>Rekonstruktionsfehler von {} (Rekonstruktion − Referenz)</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>Expected error of {} (needs no reference)</source>
      <translation>Erwarteter Fehler von {} (braucht keine Referenz)</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>It was not given when the scene was mapped, so its error is the expected one.</source>
      <translation>Sie lag beim Kartieren nicht vor, daher ist ihr Fehler der erwartete.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>Auxiliary modality: {}</source>
      <translation>Hilfsmodalität: {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>mean</source>
      <translation>Mittel</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>RMSE</source>
      <translation>RMSE</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>expected error</source>
      <translation>erwarteter Fehler</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>band</source>
      <translation>Kanal</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>Reference: {} as measured</source>
      <translation>Referenz: {}, wie gemessen</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>the reference of {}</source>
      <translation>die Referenz von {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/modality_sheets.py" />
      <source>mean expected error</source>
      <translation>mittlerer erwarteter Fehler</translation>
    </message>
    <message>
      <location filename="../../plugin/report/overview_sheets.py" />
      <source>scene</source>
      <translation>Szene</translation>
    </message>
    <message>
      <location filename="../../plugin/report/overview_sheets.py" />
      <source>area</source>
      <translation>Fläche</translation>
    </message>
    <message>
      <location filename="../../plugin/report/overview_sheets.py" />
      <source>mean uncertainty</source>
      <translation>mittlere Unsicherheit</translation>
    </message>
    <message>
      <location filename="../../plugin/report/overview_sheets.py" />
      <source>likely wrong (≥ 50 %)</source>
      <translation>wohl falsch (≥ 50 %)</translation>
    </message>
    <message>
      <location filename="../../plugin/report/overview_sheets.py" />
      <source>wrong by the reference</source>
      <translation>laut Referenz falsch</translation>
    </message>
    <message>
      <location filename="../../plugin/report/overview_sheets.py" />
      <source>{} scenes mapped with the model {}</source>
      <translation>{} Szenen, kartiert mit dem Modell {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/overview_sheets.py" />
      <source>the most doubtful first</source>
      <translation>die zweifelhafteste zuerst</translation>
    </message>
    <message>
      <location filename="../../plugin/report/overview_sheets.py" />
      <source>Where the scenes lie</source>
      <translation>Wo die Szenen liegen</translation>
    </message>
    <message>
      <location filename="../../plugin/report/page.py" />
      <source>en</source>
      <translation>de</translation>
    </message>
    <message>
      <location filename="../../plugin/report/subject.py" />
      <source>the model's card</source>
      <translation>die Karte des Modells</translation>
    </message>
    <message>
      <location filename="../../plugin/report/subject.py" />
      <source>mapped area</source>
      <translation>kartierte Fläche</translation>
    </message>
    <message>
      <location filename="../../plugin/report/subject.py" />
      <source>expected to be wrong</source>
      <translation>falsch erwartet</translation>
    </message>
    <message>
      <location filename="../../plugin/report/subject.py" />
      <source>more likely wrong than right</source>
      <translation>eher falsch als richtig</translation>
    </message>
    <message>
      <location filename="../../plugin/report/subject.py" />
      <source>Left out: {} ({}).</source>
      <translation>Weggelassen: {} ({}).</translation>
    </message>
    <message>
      <location filename="../../plugin/report/subject.py" />
      <source>RMSE by the reference</source>
      <translation>RMSE laut Referenz</translation>
    </message>
    <message>
      <location filename="../../plugin/report/subject.py" />
      <source>overall accuracy</source>
      <translation>Gesamtgenauigkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>Most certain</source>
      <translation>Am sichersten</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>Median</source>
      <translation>Median</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>Most doubtful</source>
      <translation>Am zweifelhaftesten</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>Why: what the map rests on</source>
      <translation>Warum: worauf die Karte beruht</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>A player is a group of input bands. Its attribution is its part in the estimate: positive raises it, negative lowers it; together with the bias they add up to it.</source>
      <translation>Ein Spieler ist eine Gruppe von Eingabekanälen. Seine Attribution ist sein Anteil an der Schätzung: Positives erhöht sie, Negatives senkt sie; mit dem Grundwert zusammen ergeben sie die Schätzung.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>log-odds</source>
      <translation>Log-Odds</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>Dominant player</source>
      <translation>Bestimmender Spieler</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>why: attributions</source>
      <translation>warum: Attributionen</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>there is no layer “attribution”</source>
      <translation>es gibt keinen Layer „attribution“</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>they are contributions of patches, not of bands</source>
      <translation>sie sind Beiträge von Bildfeldern, nicht von Kanälen</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>A player is a group of input bands. Its attribution is its part in the score of {}: positive speaks for the class, negative against it; together with the bias they add up to the score.</source>
      <translation>Ein Spieler ist eine Gruppe von Eingabekanälen. Seine Attribution ist sein Anteil an der Bewertung {}: Positives spricht für die Klasse, Negatives dagegen; mit dem Grundwert zusammen ergeben sie die Bewertung.</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>the mapped class</source>
      <translation>der kartierten Klasse</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>the class “{}”</source>
      <translation>der Klasse „{}“</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>mapped as {}</source>
      <translation>kartiert als {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>Probability</source>
      <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>Share of the area that each player dominates</source>
      <translation>Flächenanteil, den jeder Spieler bestimmt</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>error probability {}</source>
      <translation>Fehlerwahrscheinlichkeit {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>uncertainty {}</source>
      <translation>Unsicherheit {}</translation>
    </message>
    <message>
      <location filename="../../plugin/report/why_sheet.py" />
      <source>Mean size of its attribution</source>
      <translation>Mittlere Größe seiner Attribution</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>surely another class</source>
      <translation>sicher eine andere Klasse</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>surely this class</source>
      <translation>sicher diese Klasse</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>sure</source>
      <translation>sicher</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>unsure</source>
      <translation>unsicher</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>easy to predict</source>
      <translation>leicht vorherzusagen</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>hard to predict</source>
      <translation>schwer vorherzusagen</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>predicted too low</source>
      <translation>zu niedrig vorhergesagt</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>predicted too high</source>
      <translation>zu hoch vorhergesagt</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>mapped too low</source>
      <translation>zu niedrig kartiert</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>mapped too high</source>
      <translation>zu hoch kartiert</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>surely right</source>
      <translation>sicher richtig</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>surely wrong</source>
      <translation>sicher falsch</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>speaks against</source>
      <translation>spricht dagegen</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>speaks for</source>
      <translation>spricht dafür</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>{}: {} to {} on {} layer(s).</source>
      <translation>{}: {} bis {} auf {} Layer(n).</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>Reconstruction in colours ({}): the same stretch on {} layer(s) and {} reference(s).</source>
      <translation>Rekonstruktion in Farben ({}): dieselbe Streckung auf {} Layer(n) und {} Referenz(en).</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>you may not write there</source>
      <translation>dort dürfen Sie nicht schreiben</translation>
    </message>
    <message>
      <location filename="../../plugin/restyle.py" />
      <source>“{}” cannot be written: {}</source>
      <translation>„{}“ kann nicht geschrieben werden: {}</translation>
    </message>
    <message>
      <location filename="../../plugin/scenes.py" />
      <source>“{}” was not made by “map” and was left out.</source>
      <translation>„{}“ wurde nicht von „map“ gemacht und weggelassen.</translation>
    </message>
    <message>
      <location filename="../../plugin/scenes.py" />
      <source>“{}” cannot be read (was its file deleted?) and was left out.</source>
      <translation>„{}“ ist nicht lesbar (Datei gelöscht?) und wurde weggelassen.</translation>
    </message>
    <message>
      <location filename="../../plugin/scenes.py" />
      <source>“{}” shows the same output of the same scene as “{}” and was left out.</source>
      <translation>„{}“ zeigt dieselbe Ausgabe derselben Szene wie „{}“ und wurde weggelassen.</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Setting up the AuxLens engine</source>
      <translation>Die AuxLens-Engine wird eingerichtet</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Leave empty for the environment that “Set up engine…” makes for your profile.</source>
      <translation>Leer lassen für die Umgebung, die „Engine einrichten …“ für das Profil anlegt.</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Python 3.11 or newer that “Set up engine…” makes the environment with; leave empty to look for one.</source>
      <translation>Python 3.11 oder neuer, mit dem „Engine einrichten …“ die Umgebung anlegt; leer lassen, um eines zu suchen.</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Set up engine…</source>
      <translation>Engine einrichten …</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>AuxLens computes in a process of its own, with packages that QGIS does not ship (PyTorch, rasterio and others). “Set up engine…” downloads them (about 1 GB) into an environment for your QGIS profile; the Python of QGIS stays as it is.</source>
      <translation>AuxLens rechnet in einem eigenen Prozess mit Paketen, die QGIS nicht mitbringt (PyTorch, rasterio und andere). „Engine einrichten …“ lädt sie (etwa 1 GB) in eine Umgebung für das QGIS-Profil; das Python von QGIS bleibt, wie es ist.</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Engine's Python</source>
      <translation>Python der Engine</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>State</source>
      <translation>Zustand</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Python for the set-up</source>
      <translation>Python zum Einrichten</translation>
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Ready: {}</source>
      <translation>Bereit: {}</translation>
    </message>
    <message>
      <location filename="../../plugin/themes.py" />
      <source>AuxLens: {}</source>
      <translation>AuxLens: {}</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>probability</source>
      <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>reconstruction</source>
      <translation>Rekonstruktion</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>main error</source>
      <translation>Hauptfehler</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>attribution</source>
      <translation>Attribution</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>area-adjusted overall accuracy</source>
      <translation>flächenbereinigte Gesamtgenauigkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>user's accuracy</source>
      <translation>Nutzergenauigkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>producer's accuracy</source>
      <translation>Produzentengenauigkeit</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>mean IoU</source>
      <translation>mittlere IoU</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>mean F1</source>
      <translation>mittleres F1</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>pixels</source>
      <translation>Pixel</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>polygons</source>
      <translation>Polygone</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>share of wrong pixels</source>
      <translation>Anteil falscher Pixel</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>AUROC of the uncertainty alone</source>
      <translation>AUROC der Unsicherheit allein</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>map = reference</source>
      <translation>Karte = Referenz</translation>
    </message>
    <message>
      <location filename="../../plugin/words.py" />
      <source>map ≠ reference</source>
      <translation>Karte ≠ Referenz</translation>
    </message>
  </context>
</TS>
